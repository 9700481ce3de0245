// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor
import MUXTraining
import Testing

@Suite struct OperationTests {
  /// The values that an operation gives for 1…16 on a 4 × 4 image.
  private func values(_ operation: MUXNetworks.Operation) throws -> [Float] {
    let network = try smallNetwork("one", inputChannels: 1, side: 4) { builder, x in
      _ = builder.add("op", operation, x, channels: 1)
    }
    let model = try NetworkModel(network, seed: 1)
    let x = try Tensor((1...16).map(Float.init), shape: [1, 1, 4, 4])
    let output = try model.forward(x)
    #expect(
      output.shape.dropFirst()
        == (try network.shapes()).last.map { [$0.channels, $0.height, $0.width][...] })
    return try output.floats()
  }

  @Test("pools by hand: maxima at the rim, means with and without the padding")
  func pools() throws {
    let padded = Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1)
    #expect(try values(.pool(padded)) == [6, 8, 14, 16])
    // The last windows stick out by a row and a column.
    let outside = Pooling(kind: .maximum, kernelSize: 3, stride: 2, ceilMode: true)
    #expect(try values(.pool(outside)) == [11, 12, 15, 16])
    // Windows of 4, 6, 6 and 9 pixels inside the image.
    let sums: [Float] = [14, 30, 57, 99]
    let mean = Pooling(kind: .average, kernelSize: 3, stride: 2, padding: 1)
    #expect(try values(.pool(mean)) == sums.map { $0 / 9 })
    var inside = mean
    inside.countsPadding = false
    #expect(try values(.pool(inside)) == [14 / 4, 30 / 6, 57 / 6, 11])
    let strided = Pooling(kind: .average, kernelSize: 1, stride: 2)
    #expect(try values(.pool(strided)) == [1, 3, 9, 11])
  }

  @Test("L2 normalisation by hand; positions of zeros stay zeros, with a finite slope")
  func l2Normalization() throws {
    let network = try smallNetwork("l2", inputChannels: 2, side: 2) { builder, x in
      _ = builder.l2Normalization(x, "norm")
    }
    #expect(network.parameterCount == 2)
    let model = try NetworkModel(network, seed: 1)
    // The positions hold (3, 4), (0, 0), (−5, 12) and (0, 2); scales start at 20.
    let x = try Tensor([3, 0, -5, 0, 4, 0, 12, 2] as [Float], shape: [1, 2, 2, 2])
    let expected: [Float] = [12, 0, -100.0 / 13, 0, 16, 0, 240.0 / 13, 20]
    for (a, b) in zip(try model.forward(x).floats(), expected) { #expect(abs(a - b) < 1e-5) }
    try model.forward(x).sum().backward()
    let scale = try #require(try model.parameters[0].tensor.grad()?.floats())
    #expect(abs(scale[0] - (0.6 - 5.0 / 13)) < 1e-5 && abs(scale[1] - (0.8 + 12.0 / 13 + 1)) < 1e-5)
    let double = try NetworkModel(network, seed: 1, dtype: .float64)
    let point = try Tensor(
      [0.3, -0.4, 0.7, 0.2, 0.9, 0.1, -0.6, 0.5] as [Double], shape: [1, 2, 2, 2])
    try point.setRequiresGrad()
    // The squares, since the sum of normalised values hardly moves.
    func loss(_ x: Tensor) throws -> Tensor { try (double.forward(x) + 1).squared().sum() }
    try loss(point).backward()
    let slopes = try #require(try point.grad()).floats()
    for index in 0..<8 {
      let step = try Tensor((0..<8).map { $0 == index ? 1e-5 : 0.0 }, shape: [1, 2, 2, 2])
      let rise = try withoutGradient { try (loss(point + step) - loss(point + step * -1)).item() }
      #expect(abs(rise / 2e-5 - Double(slopes[index])) < 1e-2 * (1 + abs(Double(slopes[index]))))
    }
  }

  @Test("pads and crops by hand")
  func pads() throws {
    #expect(
      try values(.pad(ImagePadding(top: 1, left: -2, bottom: -3, right: 1)))
        == [0, 0, 0, 3, 4, 0])
    #expect(try values(.pad(ImagePadding(top: -3, left: -3))) == [16])
  }

  @Test("adaptive pools by hand, with windows that overlap and windows below a pixel")
  func adaptive() throws {
    #expect(try values(.adaptiveAveragePool(ImageSize(height: 1, width: 2))) == [7.5, 9.5])
    // Three windows over four pixels: 0..<2, 1..<3, 2..<4.
    #expect(
      try values(.adaptiveAveragePool(ImageSize(height: 3, width: 1))) == [4.5, 8.5, 12.5])
    #expect(try values(.adaptiveAveragePool(ImageSize(8))).prefix(4) == [1, 1, 2, 2])
  }

  @Test("their gradients agree with finite differences")
  func gradients() throws {
    let network = try smallNetwork("chain", inputChannels: 2, side: 7) { builder, x in
      var y = builder.pad(x, "pad", ImagePadding(top: 1, left: 1, bottom: -1))
      y = builder.pool(y, "max", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
      y = builder.pad(y, "crop", ImagePadding(top: -1, left: -1))
      y = builder.pool(
        y, "mean",
        Pooling(kind: .average, kernelSize: 3, stride: 1, padding: 1, countsPadding: false))
      _ = builder.add("grid", .adaptiveAveragePool(ImageSize(2)), y, channels: 2)
    }
    let model = try NetworkModel(network, seed: 1, dtype: .float64)
    let x = try TorchGenerator(seed: 4).normal([2, 2, 7, 7], dtype: .float64)
    let direction = try TorchGenerator(seed: 5).normal([2, 2, 7, 7], dtype: .float64)
    try x.setRequiresGrad(true)
    try model.forward(x).sum().backward()
    let slope = try (#require(try x.grad()) * direction).sum().item()
    try withoutGradient {
      func value(_ step: Double) throws -> Double {
        try model.forward(x.detach() + direction * step).sum().item()
      }
      let measured = try (value(1e-6) - value(-1e-6)) / 2e-6
      #expect(abs(measured - slope) < 1e-5 * max(1, abs(slope)))
    }
  }
}
