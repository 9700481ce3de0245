// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A two-dimensional convolution with a square kernel, [N, C, H, W] → [N, C′, H′, W′].
///
/// `padding` zeros are added on each side; H′ = ⌊(H + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋
/// + 1.
public struct Convolution: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case inputChannels, outputChannels, kernelSize, stride, padding, dilation, groups, hasBias
    case paddingRule
  }

  /// How many zeros are laid around an image.
  public enum PaddingRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// `padding` on each side.
    case symmetric
    /// As many as make ⌈H / stride⌉ positions of H (TensorFlow's SAME): half of them before, the odd one
    /// behind. So their number depends on the image's size.
    case same
  }

  /// C, the channels that go in.
  public var inputChannels: Int
  /// C′, the channels that come out.
  public var outputChannels: Int
  /// The side of the kernel in pixels.
  public var kernelSize: Int
  /// The step of the kernel in pixels.
  public var stride: Int
  /// Zeros added on each of the four sides.
  public var padding: Int
  /// The distance between the kernel's taps in pixels.
  public var dilation: Int
  /// The number of groups; a group sees inputChannels / groups channels.
  public var groups: Int
  /// Whether a bias is added.
  public var hasBias: Bool
  /// How many zeros are laid around an image; `padding` is 0 but for symmetric ones.
  public var paddingRule: PaddingRule

  /// A convolution; padding is "same" for odd kernels unless given, as in the paper's code.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int = 1, stride: Int = 1,
    padding: Int? = nil, dilation: Int = 1, groups: Int = 1, hasBias: Bool = false,
    paddingRule: PaddingRule = .symmetric
  ) {
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding =
      padding ?? (paddingRule == .same ? 0 : Self.samePadding(kernelSize, dilation))
    self.paddingRule = paddingRule
    self.dilation = dilation
    self.groups = groups
    self.hasBias = hasBias
  }

  /// Reads a convolution; what is left out is as in
  /// ``init(inputChannels:outputChannels:kernelSize:stride:padding:dilation:groups:hasBias:paddingRule:)``.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    inputChannels = try values.decode(Int.self, forKey: .inputChannels)
    outputChannels = try values.decode(Int.self, forKey: .outputChannels)
    kernelSize = try values.value(.kernelSize, default: 1)
    stride = try values.value(.stride, default: 1)
    dilation = try values.value(.dilation, default: 1)
    groups = try values.value(.groups, default: 1)
    hasBias = try values.value(.hasBias, default: false)
    paddingRule = try values.value(.paddingRule, default: .symmetric)
    padding = try values.value(
      .padding, default: paddingRule == .same ? 0 : Self.samePadding(kernelSize, dilation))
  }

  /// Writes a convolution; what came after the first version of network files, only where it says
  /// something.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(inputChannels, forKey: .inputChannels)
    try values.encode(outputChannels, forKey: .outputChannels)
    try values.encode(kernelSize, forKey: .kernelSize)
    try values.encode(stride, forKey: .stride)
    try values.encode(padding, forKey: .padding)
    try values.encode(dilation, forKey: .dilation)
    try values.encode(groups, forKey: .groups)
    try values.encode(hasBias, forKey: .hasBias)
    if paddingRule != .symmetric { try values.encode(paddingRule, forKey: .paddingRule) }
  }

  /// The padding that keeps an image's size at stride 1; 0 for settings beyond all bounds, which are
  /// refused when they are checked.
  private static func samePadding(_ kernelSize: Int, _ dilation: Int) -> Int {
    Limits.holds([kernelSize, dilation]) ? dilation * (kernelSize - 1) / 2 : 0
  }

  /// Whether each channel has a kernel of its own.
  public var isDepthwise: Bool { groups > 1 && groups == inputChannels && groups == outputChannels }
  /// Whether this is a dense 1×1 convolution.
  public var isPointwise: Bool { kernelSize == 1 && groups == 1 }
  /// Channels of a group on the input side.
  public var groupWidth: Int { inputChannels / groups }

  /// The shape of the weight, [C′, C / groups, k, k].
  public var weightShape: [Int] {
    [outputChannels, inputChannels / groups, kernelSize, kernelSize]
  }

  /// The zeros before the first and behind the last of `size` positions.
  package func zeros(around size: Int) -> (before: Int, behind: Int) {
    switch paddingRule {
    case .symmetric: return (padding, padding)
    case .same:
      let positions = (size + stride - 1) / stride
      let reach = (positions - 1) * stride + dilation * (kernelSize - 1) + 1
      let count = max(0, reach - size)
      return (count / 2, count - count / 2)
    }
  }

  /// Whether each window lies around its pixel: there are as many positions as strides, rounded up,
  /// and at most half a kernel of zeros on each side.
  package var keepsGrid: Bool {
    kernelSize % 2 == 1
      && (paddingRule == .same || padding == dilation * (kernelSize - 1) / 2)
  }

  /// The number of output positions for an input of `size` positions, which may be below 1.
  package func outputSize(_ size: Int) -> Int {
    let zeros = zeros(around: size)
    let span = size + zeros.before + zeros.behind - dilation * (kernelSize - 1) - 1
    return span < 0 ? 0 : span / stride + 1
  }

  /// Multiply-adds for an output of h×w positions: C′ · (C / groups) · k² · h · w.
  func multiplyAdds(height: Int, width: Int) -> Int {
    outputChannels * (inputChannels / groups) * kernelSize * kernelSize * height * width
  }

  /// The number of learnable scalars.
  public var parameterCount: Int {
    weightShape.reduce(1, *) + (hasBias ? outputChannels : 0)
  }

  package var layerKind: LayerKind {
    if isDepthwise { return .depthwiseConvolution }
    if groups > 1 { return .groupConvolution }
    return kernelSize == 1 ? .pointwiseConvolution : .standardConvolution
  }

  /// Its tensors, whose names begin with `prefix`.
  func parameters(prefix: String = "", branch: Int? = nil) -> [ParameterRule] {
    [
      .init(
        suffix: prefix + "weight", shape: weightShape, role: .convolutionWeight, branch: branch,
        groups: groups)
    ]
      + (hasBias
        ? [.init(suffix: prefix + "bias", shape: [outputChannels], role: .bias, branch: branch)]
        : [])
  }
}

extension Convolution: OperationRules {
  static let kind = OperationKind.convolution
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .convolution(self) }
  var formatVersion: Int { paddingRule == .symmetric ? 1 : 2 }

  var isWithinLimits: Bool {
    Limits.holds([inputChannels, outputChannels, kernelSize, stride, padding, dilation, groups])
      && (groups < 1 || kernelSize < 1 || inputChannels < 1 || outputChannels < 1
        || Limits.holdsProduct(weightShape, below: Limits.weights))
  }

  var defect: String? {
    if inputChannels < 1 || outputChannels < 1 { return "a convolution needs at least one channel" }
    if kernelSize < 1 || stride < 1 || dilation < 1 || padding < 0 {
      return "kernel \(kernelSize), stride \(stride), dilation \(dilation) or padding \(padding)"
        + " is out of range"
    }
    if paddingRule == .same && padding != 0 {
      return "its padding follows from the rule 'same'; leave \(padding) out"
    }
    if groups < 1 || inputChannels % groups != 0 || outputChannels % groups != 0 {
      return "\(inputChannels) → \(outputChannels) channels cannot be divided into \(groups) groups"
    }
    return nil
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    try ShapeMismatch.check(inputs[0], hasChannels: inputChannels)
    return Shape(
      channels: outputChannels, height: outputSize(inputs[0].height),
      width: outputSize(inputs[0].width))
  }

  var parameters: [ParameterRule] { parameters() }

  func costs(input: Shape, output: Shape) -> [OperationCost] {
    [
      .init(
        layerKind, output: output, parameters: parameterCount,
        multiplyAdds: multiplyAdds(height: output.height, width: output.width))
    ]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [(self, 1)] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { false }
}
