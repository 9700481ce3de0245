// SPDX-License-Identifier: Apache-2.0

/// All that an operation says of itself; a file of this folder has the answers of one operation.
///
/// Nothing here has a default: a new operation compiles when every question is answered, and every
/// reader asks here instead of keeping a list of its own.
protocol OperationRules: Sendable, Hashable, Codable {
  static var kind: OperationKind { get }
  /// How many inputs it takes.
  static var arity: ClosedRange<Int> { get }
  /// The keys of its settings in network files, where they stand beside `type`.
  static var settingNames: [String] { get }

  /// The operation with these settings.
  var operation: Operation { get }
  /// The first version of network files that can say these settings (``NetworkFormat``).
  var formatVersion: Int { get }

  /// Whether the settings are within ``Limits``; asked before ``defect``.
  var isWithinLimits: Bool { get }
  /// Says why the settings are impossible, nil if they are sound.
  var defect: String? { get }
  /// The shape of the output for inputs of these shapes; its height or width may be 0.
  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape

  /// Its tensors, in the order of PyTorch's state dict.
  var parameters: [ParameterRule] { get }
  /// What it costs on one image: an entry for each branch of a branched convolution, else one.
  func costs(input: Shape, output: Shape) -> [OperationCost]
  /// The convolutions that it runs, with how much wider than its input their grids may be.
  var windows: [(convolution: Convolution, factor: Int)] { get }

  /// What it does to values at inference.
  var effect: InferenceEffect { get }
  /// Whether its output is features [N, K] or images [N, C, H, W]; nil if it is what the input is.
  var isFlat: Bool? { get }
}

/// What an operation does to values at inference, as far as those can look through it who merge steps
/// or share memory.
package enum InferenceEffect: Sendable, Hashable {
  /// It computes values that need memory of their own.
  case computes
  /// It changes each value on its own, which may be done in place.
  case elementwise
  /// It only says which channels of its inputs come in which order.
  case selects(ChannelSelection)
  /// It keeps all values in their order under another shape.
  case reshapes
}

/// An order of channels that come from the inputs of an operation.
package enum ChannelSelection: Sendable, Hashable {
  /// All as they are.
  case all
  /// Those of all inputs, one input after the other.
  case joined
  /// Some of the first input that follow each other.
  case range(Range<Int>)
  /// Channel j·C/g + i of the first input comes i·g + j-th.
  case shuffled(groups: Int)

  /// Chooses from the inputs' channels (or from what stands for them).
  package func callAsFunction<Channel>(_ inputs: [[Channel]]) -> [Channel] {
    switch self {
    case .all: return inputs[0]
    case .joined: return inputs.flatMap { $0 }
    case .range(let range): return Array(inputs[0][range])
    case .shuffled(let groups):
      let channels = inputs[0]
      let width = channels.count / groups
      return channels.indices.map { channels[$0 % groups * width + $0 / groups] }
    }
  }
}

/// Why an operation cannot run on inputs of some shapes.
struct ShapeMismatch: Error, Sendable {
  /// The reason, to stand after the layer's name.
  let reason: String

  /// - Throws: A mismatch unless the channels are those expected.
  static func check(_ input: Shape, hasChannels expected: Int) throws(ShapeMismatch) {
    guard input.channels == expected else {
      throw ShapeMismatch(reason: "it takes \(expected) channels but gets \(input.channels)")
    }
  }
}

/// One tensor of an operation.
struct ParameterRule: Sendable, Hashable {
  /// What follows the node's name, such as `weight`.
  var suffix: String
  /// The shape; empty for a scalar.
  var shape: [Int]
  /// What the tensor is.
  var role: ParameterRole
  /// The branch of a branched convolution, nil elsewhere.
  var branch: Int?
  /// The groups of the convolution, 1 elsewhere.
  var groups = 1

  /// The number of scalars.
  var count: Int { shape.reduce(1, *) }
}

/// What an operation, or a branch of one, costs on one image.
struct OperationCost: Sendable, Hashable {
  var kind: LayerKind
  /// The branch's name, nil for the whole operation.
  var branch: String?
  /// The output (of the branch).
  var output: Shape
  /// Learnable scalars.
  var parameters: Int
  /// Multiply-adds of convolutions and linear layers.
  var multiplyAdds: Int
  /// What the paper's counter adds.
  var extraMultiplyAdds: Int

  init(
    _ kind: LayerKind, branch: String? = nil, output: Shape, parameters: Int = 0,
    multiplyAdds: Int = 0, extraMultiplyAdds: Int = 0
  ) {
    self.kind = kind
    self.branch = branch
    self.output = output
    self.parameters = parameters
    self.multiplyAdds = multiplyAdds
    self.extraMultiplyAdds = extraMultiplyAdds
  }
}

/// The operations by the name that they have in network files and listings.
package enum OperationKind: String, Sendable, Hashable, CaseIterable {
  case convolution, branchedConvolution, batchNormalization, l2Normalization, activation, linear
  case add, multiply, concatenate, slice, channelShuffle, pool, globalAveragePool
  case adaptiveAveragePool, pad, flatten, dropout, dropPath

  /// Where the operation answers for itself.
  var rules: any OperationRules.Type {
    switch self {
    case .convolution: Convolution.self
    case .branchedConvolution: BranchedConvolution.self
    case .batchNormalization: BatchNormalization.self
    case .l2Normalization: L2Normalization.self
    case .activation: ActivationRules.self
    case .linear: Linear.self
    case .add: AddRules.self
    case .multiply: MultiplyRules.self
    case .concatenate: ConcatenateRules.self
    case .slice: ChannelSlice.self
    case .channelShuffle: ChannelShuffleRules.self
    case .pool: Pooling.self
    case .globalAveragePool: GlobalAveragePoolRules.self
    case .adaptiveAveragePool: AdaptiveAveragePoolRules.self
    case .pad: ImagePadding.self
    case .flatten: FlattenRules.self
    case .dropout: DropoutRules.self
    case .dropPath: DropPathRules.self
    }
  }
}

extension Operation {
  /// The operation's own answers.
  var rules: any OperationRules {
    switch self {
    case .convolution(let convolution): convolution
    case .branchedConvolution(let branched): branched
    case .batchNormalization(let norm): norm
    case .l2Normalization(let norm): norm
    case .activation(let activation): ActivationRules(function: activation)
    case .linear(let linear): linear
    case .add: AddRules()
    case .multiply: MultiplyRules()
    case .concatenate: ConcatenateRules()
    case .slice(let slice): slice
    case .channelShuffle(let groups): ChannelShuffleRules(groups: groups)
    case .pool(let pooling): pooling
    case .globalAveragePool: GlobalAveragePoolRules()
    case .adaptiveAveragePool(let size): AdaptiveAveragePoolRules(size: size)
    case .pad(let padding): padding
    case .flatten: FlattenRules()
    case .dropout(let rate): DropoutRules(rate: rate)
    case .dropPath(let rate): DropPathRules(rate: rate)
    }
  }

  /// The operation's name in network files and listings.
  public var type: String { Swift.type(of: rules).kind.rawValue }

  /// Says why the settings are impossible or beyond all bounds, nil if they are sound.
  var unsoundness: String? {
    let rules = rules
    return rules.isWithinLimits
      ? rules.defect : "its settings are far beyond what a network of images can have"
  }

  /// What the operation does to values at inference.
  package var effect: InferenceEffect { rules.effect }

  /// The convolutions that it runs, with how much wider than its input their grids may be.
  package var windows: [(convolution: Convolution, factor: Int)] { rules.windows }

  /// Whether it has weights that combine channels or pixels, as convolutions and linear layers have.
  package var hasProducts: Bool { rules.parameters.contains { $0.role.isProductWeight } }

  /// The order of channels if that is all that the operation gives at inference.
  package var selection: ChannelSelection? {
    switch effect {
    case .selects(let selection): selection
    case .computes, .elementwise, .reshapes: nil
    }
  }

  /// Whether the operation gives its input at inference, as dropout does.
  package var isTransparent: Bool { effect == .selects(.all) }
}
