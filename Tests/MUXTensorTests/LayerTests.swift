// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct LayerTests {
  @Test("convolution: stride, padding, dilation, groups, bias, in both memory formats")
  func convolution() throws {
    let x = try Tensor((1...9).map(Float.init), shape: [1, 1, 3, 3])
    let ones = try Tensor.ones([1, 1, 3, 3])
    #expect(
      try x.conv2d(weight: ones, padding: (1, 1)).array(of: Float.self) == [
        12, 21, 16, 27, 45, 33, 24, 39, 28,
      ])
    #expect(
      try x.conv2d(weight: ones, stride: (2, 2), padding: (1, 1)).array(of: Float.self) == [
        12, 16, 24, 28,
      ])
    let corners = try Tensor.ones([1, 1, 2, 2])
    #expect(
      try x.conv2d(weight: corners, dilation: (2, 2)).array(of: Float.self) == [1 + 3 + 7 + 9])
    #expect(
      try x.conv2d(weight: corners, bias: Tensor([0.5] as [Float])).array(of: Float.self) == [
        12.5, 16.5, 24.5, 28.5,
      ])
    let two = try Tensor.cat([x, x * 10], dimension: 1).contiguous(.channelsLast)
    let weight = try Tensor([2, 3] as [Float], shape: [2, 1, 1, 1])
    let grouped = try two.conv2d(weight: weight, groups: 2)
    #expect(grouped.isContiguous(.channelsLast))
    #expect(try grouped.select(1, 1).array(of: Float.self) == (1...9).map { Float($0) * 30 })
    #expect(throws: TorchError.self) { try two.conv2d(weight: weight) }
  }

  @Test("batch norm: batch statistics in training, running ones else, exact update rule")
  func batchNorm() throws {
    let x = try Tensor([1, 3, 10, 30] as [Float], shape: [2, 1, 1, 2])
    let mean = try Tensor.zeros([1])
    let variance = try Tensor.ones([1])
    let weight = try Tensor([2] as [Float])
    let bias = try Tensor([5] as [Float])
    let trained = try x.batchNorm(
      weight: weight, bias: bias, runningMean: mean, runningVariance: variance, training: true,
      momentum: 0.1, epsilon: 0)
    // Mean 11, squared deviations 100 + 64 + 1 + 361 = 526: biased 131.5, unbiased 526 / 3.
    let deviation = Float(131.5).squareRoot()
    for (found, value) in zip(try trained.array(of: Float.self), [1, 3, 10, 30] as [Float]) {
      #expect(abs(found - ((value - 11) / deviation * 2 + 5)) < 1e-5)
    }
    #expect(abs(try mean.item() - 1.1) < 1e-6)
    #expect(abs(try variance.item() - (0.9 + 52.6 / 3)) < 1e-5)
    let fixed = try x.batchNorm(
      weight: nil, bias: nil, runningMean: Tensor([1] as [Float]),
      runningVariance: Tensor([4] as [Float]), training: false, epsilon: 0)
    #expect(try fixed.array(of: Float.self) == [0, 1, 4.5, 14.5])
    let single = try Tensor.ones([1, 3, 1, 1])
    #expect(throws: TorchError.self) {
      try single.batchNorm(
        weight: nil, bias: nil, runningMean: nil, runningVariance: nil, training: true)
    }
  }

  @Test("pooling: windows, padding and the adaptive grid")
  func pooling() throws {
    let x = try Tensor((1...16).map(Float.init), shape: [1, 1, 4, 4])
    #expect(
      try x.maxPool2d(kernel: (2, 2), stride: (2, 2)).array(of: Float.self) == [6, 8, 14, 16])
    #expect(
      try x.avgPool2d(kernel: (2, 2), stride: (2, 2)).array(of: Float.self) == [
        3.5, 5.5, 11.5, 13.5,
      ])
    let counted = try x.avgPool2d(kernel: (3, 3), stride: (3, 3), padding: (1, 1))
    let uncounted = try x.avgPool2d(
      kernel: (3, 3), stride: (3, 3), padding: (1, 1), countPadding: false)
    // Four values 1, 2, 5, 6 under the first window.
    #expect(abs(try counted.select(2, 0).select(2, 0).item() - 14.0 / 9) < 1e-6)
    #expect(try uncounted.select(2, 0).select(2, 0).item() == 3.5)
    #expect(try x.adaptiveAvgPool2d().item() == 8.5)
    #expect(try x.adaptiveAvgPool2d(height: 2, width: 1).array(of: Float.self) == [4.5, 12.5])
    #expect(try x.maxPool2d(kernel: (3, 3), stride: (2, 2), ceilMode: true).shape == [1, 1, 2, 2])
  }

  @Test("linear layer and image resizing")
  func linearAndResize() throws {
    let x = try Tensor([1, 2] as [Float], shape: [1, 2])
    let weight = try Tensor([1, 0, 0, 1, 1, 1] as [Float], shape: [3, 2])
    #expect(
      try x.linear(weight: weight, bias: Tensor([0, 0, 10] as [Float])).array(of: Float.self) == [
        1, 2, 13,
      ])
    let ramp = try Tensor([0, 1, 2, 3] as [Float], shape: [1, 1, 1, 4])
    #expect(try ramp.resized(height: 1, width: 2, .bilinear).array(of: Float.self) == [0.5, 2.5])
    #expect(
      try ramp.resized(height: 2, width: 4, .nearest).array(of: Float.self) == [
        0, 1, 2, 3, 0, 1, 2, 3,
      ])
    let constant = try Tensor.full([1, 2, 5, 5], 3)
    for antialias in [false, true] {
      let small = try constant.resized(height: 2, width: 3, .bicubic, antialias: antialias)
      #expect(abs(try (small - 3).absolute().max().item()) < 1e-5)
    }
  }

  @Test("pixel multiplexing is phase-major, exactly invertible, and refuses odd sizes")
  func multiplexing() throws {
    // Value = channel · 100 + row · 10 + column.
    let values: [Float] = (0..<48).map { index in
      let (channel, pixel) = index.quotientAndRemainder(dividingBy: 24)
      return Float(channel * 100 + pixel / 6 * 10 + pixel % 6)
    }
    let x = try Tensor(values, shape: [1, 2, 4, 6])
    let sub = try x.spaceToChannel(2)
    #expect(sub.shape == [1, 8, 2, 3])
    // Channel 5 = phase 2 (row 1, column 0) of channel 1.
    #expect(try sub.select(1, 5).array(of: Float.self) == [110, 112, 114, 130, 132, 134])
    #expect(try sub.select(1, 2).array(of: Float.self) == [1, 3, 5, 21, 23, 25])
    #expect(try sub.channelToSpace(2).array(of: Float.self) == values)
    let last = try x.contiguous(.channelsLast)
    #expect(try last.spaceToChannel(2).array(of: Float.self) == sub.array(of: Float.self))
    #expect(try last.spaceToChannel(2).isContiguous(.channelsLast))
    #expect(throws: TorchError.self) { try x.spaceToChannel(4) }
    #expect(throws: TorchError.self) { try x.channelToSpace(2) }
    let channels = try Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [1, 6, 1, 1])
    #expect(try channels.channelShuffle(groups: 2).array(of: Float.self) == [0, 3, 1, 4, 2, 5])
    #expect(try channels.channelShuffle(groups: 3).array(of: Float.self) == [0, 2, 4, 1, 3, 5])
  }
}
