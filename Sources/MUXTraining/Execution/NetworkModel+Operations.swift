// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor

extension NetworkModel {
  /// The value of one node. `state` holds its tensors in the order of the state dict; a batch norm
  /// whose statistics rest uses them also in training.
  func apply(
    _ operation: MUXNetworks.Operation, _ x: Tensor, _ inputs: [Tensor], _ state: [Tensor],
    statisticsRest: Bool
  ) throws -> Tensor {
    switch operation {
    case .convolution(let convolution):
      return try convolve(x, convolution, weight: state[0], bias: state.dropFirst().first)
    case .branchedConvolution(let branched):
      return try convolve(x, branched, state)
    case .batchNormalization(let norm):
      let training = isTraining && !statisticsRest
      if training { try count(state[4]) }
      if training, SynchronizedNorms.isOn {
        return try x.synchronizedBatchNorm(
          weight: state[0], bias: state[1], runningMean: state[2], runningVariance: state[3],
          momentum: norm.momentum, epsilon: norm.epsilon)
      }
      return try x.batchNorm(
        weight: state[0], bias: state[1], runningMean: state[2], runningVariance: state[3],
        training: training, momentum: norm.momentum, epsilon: norm.epsilon)
    case .l2Normalization(let norm):
      let scale = try state[0].reshape([1, norm.channels, 1, 1])
      // ε² under the root stands for the least norm: the slope stays finite at zero.
      let sums = try x.squared().sum([1], keep: true) + norm.epsilon * norm.epsilon
      return try x * sums.reciprocalSquareRoot() * scale
    case .activation(let activation): return try activation.apply(to: x)
    case .linear: return try x.linear(weight: state[0], bias: state.dropFirst().first)
    case .add: return try x + inputs[1]
    case .multiply: return try x * inputs[1]
    case .concatenate: return try Tensor.cat(inputs, dimension: 1)
    case .slice(let slice): return try x.narrow(1, start: slice.start, length: slice.count)
    case .channelShuffle(let groups): return try x.channelShuffle(groups: groups)
    case .pool(let pool):
      let kernel = (pool.kernelSize, pool.kernelSize)
      let stride = (pool.stride, pool.stride)
      let padding = (pool.padding, pool.padding)
      return switch pool.kind {
      case .maximum:
        try x.maxPool2d(
          kernel: kernel, stride: stride, padding: padding, ceilMode: pool.ceilMode)
      case .average:
        try x.avgPool2d(
          kernel: kernel, stride: stride, padding: padding, countPadding: pool.countsPadding)
      }
    case .globalAveragePool: return try x.adaptiveAvgPool2d()
    case .adaptiveAveragePool(let size):
      return try x.adaptiveAvgPool2d(height: size.height, width: size.width)
    case .pad(let padding):
      return try x.pad(
        left: padding.left, right: padding.right, top: padding.top, bottom: padding.bottom)
    case .flatten: return try x.flatten(from: 1)
    case .dropout(let rate):
      return isTraining && rate > 0 ? try x.dropout(probability: rate, generator: generator) : x
    case .dropPath(let rate):
      return isTraining && rate > 0 ? try dropPath(x, rate: rate) : x
    }
  }

  private func convolve(
    _ x: Tensor, _ convolution: Convolution, weight: Tensor, bias: Tensor?
  ) throws -> Tensor {
    let rows = convolution.zeros(around: x.size(2))
    let columns = convolution.zeros(around: x.size(3))
    // libtorch pads both sides alike; zeros that one side has more are added before.
    let (bottom, right) = (rows.behind - rows.before, columns.behind - columns.before)
    let x = bottom > 0 || right > 0 ? try x.pad(right: right, bottom: bottom) : x
    return try x.conv2d(
      weight: weight, bias: bias, stride: (convolution.stride, convolution.stride),
      padding: (rows.before, columns.before),
      dilation: (convolution.dilation, convolution.dilation), groups: convolution.groups)
  }

  private func convolve(
    _ x: Tensor, _ branched: BranchedConvolution, _ state: [Tensor]
  ) throws -> Tensor {
    let slices = try x.split(branched.branches.map(\.inputChannels), dimension: 1)
    var tensors = state[...]
    var outputs: [Tensor] = []
    for (branch, slice) in zip(branched.branches, slices) {
      let weight = tensors.removeFirst()
      let bias = branch.convolution.hasBias ? tensors.removeFirst() : nil
      outputs.append(try convolve(slice, branch, weight: weight, bias: bias))
    }
    return try Tensor.cat(outputs, dimension: 1)
  }

  private func convolve(
    _ x: Tensor, _ branch: BranchedConvolution.Branch, weight: Tensor, bias: Tensor?
  ) throws -> Tensor {
    switch branch.multiplexing {
    case .none: return try convolve(x, branch.convolution, weight: weight, bias: bias)
    case .superpixel:
      // The enlarged grid is always a multiple of r, so nothing needs padding here.
      return try convolve(
        x.channelToSpace(branch.factor), branch.convolution, weight: weight, bias: bias
      ).spaceToChannel(branch.factor)
    case .subpixel:
      let (height, width) = (x.size(2), x.size(3))
      let bottom = (branch.factor - height % branch.factor) % branch.factor
      let right = (branch.factor - width % branch.factor) % branch.factor
      let padded = bottom + right > 0 ? try x.pad(right: right, bottom: bottom) : x
      var y = try convolve(
        padded.spaceToChannel(branch.factor), branch.convolution, weight: weight, bias: bias
      ).channelToSpace(branch.factor)
      if bottom > 0 { y = try y.narrow(2, start: 0, length: height) }
      if right > 0 { y = try y.narrow(3, start: 0, length: width) }
      return y
    }
  }

  private func dropPath(_ x: Tensor, rate: Double) throws -> Tensor {
    let mask = try Tensor.empty([x.size(0), 1, 1, 1], dtype: x.dtype, device: device)
    try mask.fillBernoulliInPlace(probability: 1 - rate, generator: generator)
    try mask.multiplyInPlace(1 / (1 - rate))
    return try x * mask
  }
}

extension Activation {
  func apply(to x: Tensor) throws(TorchError) -> Tensor {
    switch kind {
    case .identity: x
    case .relu: try x.relu()
    case .relu6: try x.relu6()
    case .swish: try x.silu()
    case .hardSwish: try x.hardSwish()
    case .sigmoid: try x.sigmoid()
    case .hardSigmoid where self == .hardSigmoid: try x.hardSigmoid()
    case .hardSigmoid: try (x * alpha + beta).clamped(low: 0, high: 1)
    }
  }
}
