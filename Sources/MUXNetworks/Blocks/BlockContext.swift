// SPDX-License-Identifier: Apache-2.0

/// What a block takes from the architecture around it.
struct BlockContext {
  /// The prefix of its nodes, such as `blocks.2.0`.
  var name: String
  /// The output channels after the width multiplier.
  var outputChannels: Int
  /// The step of this copy.
  var stride: Int
  /// The network's non-linearity.
  var activation: Activation
  /// ε of the batch norms.
  var epsilon: Double
  /// Momentum of the batch norms.
  var momentum: Double
  /// The rate of stochastic depth for this copy.
  var dropPathRate: Double
}

extension NetworkBuilder {
  /// Adds one copy of a block.
  mutating func add(
    _ block: BlockSpecification, to value: Value, in context: BlockContext
  ) throws(NetworkError) -> Value {
    switch block.kind {
    case .convolution: convolutionBlock(block, value, context)
    case .depthwiseSeparable: try depthwiseSeparable(block, value, context)
    case .invertedResidual: try invertedResidual(block, value, context)
    case .mux: try muxBlock(block, value, context)
    }
  }

  mutating func normalize(_ value: Value, _ suffix: String, _ context: BlockContext) -> Value {
    batchNormalization(
      value, "\(context.name).\(suffix)", epsilon: context.epsilon, momentum: context.momentum)
  }

  /// Adds squeeze-and-excitation reduced to ⌊ratio · baseChannels⌋ channels, at least one.
  mutating func squeezeExcitation(
    _ value: Value, _ block: BlockSpecification, baseChannels: Int, _ context: BlockContext
  ) -> Value {
    guard block.squeezeRatio > 0 else { return value }
    let reduced = max(1, Int(Double(baseChannels) * block.squeezeRatio))
    return squeezeExcitation(
      value, "\(context.name).se", reducedChannels: reduced,
      activation: block.activation ?? context.activation)
  }

  /// Adds a dense convolution with batch norm and activation (`cn`).
  private mutating func convolutionBlock(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) -> Value {
    var x = convolution(
      value, "\(context.name).conv", outputChannels: context.outputChannels,
      kernelSize: block.kernelSizes[0], stride: context.stride)
    x = normalize(x, "bn1", context)
    return activation(x, "\(context.name).act1", block.activation ?? context.activation)
  }

  /// Adds a depthwise-separable block (`ds`): depthwise, batch norm, activation, SE, linear 1×1.
  private mutating func depthwiseSeparable(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) throws(NetworkError) -> Value {
    var x = try spatialConvolution(block, value, context)
    x = normalize(x, "bn1", context)
    x = activation(x, "\(context.name).act1", block.activation ?? context.activation)
    x = squeezeExcitation(x, block, baseChannels: value.channels, context)
    x = convolution(x, "\(context.name).conv_pw", outputChannels: context.outputChannels)
    x = normalize(x, "bn2", context)
    return residual(value, x, block, context)
  }

  /// Adds the residual sum where stride and channels allow it.
  mutating func residual(
    _ value: Value, _ output: Value, _ block: BlockSpecification, _ context: BlockContext
  ) -> Value {
    guard context.stride == 1, value.channels == output.channels, !block.skipsResidual else {
      return output
    }
    let x = dropPath(output, "\(context.name).drop_path", rate: context.dropPathRate)
    return sum(x, value, "\(context.name).residual")
  }
}
