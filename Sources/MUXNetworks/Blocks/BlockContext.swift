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
  /// Expanded channels are rounded to multiples of it.
  var expansionDivisor = 1
  /// How squeeze-and-excitation is made.
  var excitation = ExcitationSettings()
}

extension NetworkBuilder {
  /// Adds one copy of a block.
  mutating func add(
    _ block: BlockSpecification, to value: Value, in context: BlockContext
  ) throws(NetworkError) -> Value {
    switch block.kind {
    case .convolution: convolutionBlock(block, value, context)
    case .depthwiseSeparable, .activatedSeparable: try depthwiseSeparable(block, value, context)
    case .invertedResidual: try invertedResidual(block, value, context)
    case .mux: try muxBlock(block, value, context)
    }
  }

  mutating func normalize(_ value: Value, _ suffix: String, _ context: BlockContext) -> Value {
    batchNormalization(
      value, "\(context.name).\(suffix)", epsilon: context.epsilon, momentum: context.momentum)
  }

  /// Adds squeeze-and-excitation reduced to ratio · channels of the block's input (or of `value`),
  /// rounded as the architecture says, at least one.
  mutating func squeezeExcitation(
    _ value: Value, _ block: BlockSpecification, inputChannels: Int, _ context: BlockContext
  ) -> Value {
    guard block.squeezeRatio > 0 else { return value }
    let excitation = context.excitation
    let base = excitation.ratioOf == .expanded ? value.channels : inputChannels
    let exact = Double(base) * block.squeezeRatio
    return squeezeExcitation(
      value, "\(context.name).se",
      reducedChannels: excitation.divisor == 1
        ? max(1, ChannelRounding.whole(exact))
        : ChannelRounding.rounded(exact, to: excitation.divisor),
      activation: excitation.activation ?? block.activation ?? context.activation,
      gate: excitation.gate)
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

  /// Adds a depthwise-separable block (`ds`): depthwise, batch norm, activation, SE, linear 1×1;
  /// or with an activation at the end in place of the residual sum (`dsa`).
  private mutating func depthwiseSeparable(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) throws(NetworkError) -> Value {
    var x = try spatialConvolution(block, value, context)
    x = normalize(x, "bn1", context)
    x = activation(x, "\(context.name).act1", block.activation ?? context.activation)
    x = squeezeExcitation(x, block, inputChannels: value.channels, context)
    x = convolution(x, "\(context.name).conv_pw", outputChannels: context.outputChannels)
    x = normalize(x, "bn2", context)
    guard block.kind == .depthwiseSeparable else {
      return activation(x, "\(context.name).act2", block.activation ?? context.activation)
    }
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
