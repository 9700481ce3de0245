// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Where a branch of a convolution moves information between space and channels (paper, section 3.1).
///
/// The paper's code calls the two moves `SpaceToChannel` and `ChannelToSpace`. Channels are ordered
/// phase-major: subpixel maps pixel (y·r + by, x·r + bx) of channel c to channel (by·r + bx)·C + c.
public enum SpatialMultiplexing: Int, Sendable, Hashable, Codable, CaseIterable {
  /// r×r windows become channels: the convolution sees r²·C channels on a 1/r grid.
  case subpixel = -1
  /// The convolution runs as it is.
  case none = 0
  /// r² channels become windows: the convolution sees C / r² channels on an r-fold grid.
  case superpixel = 1
}

/// A convolution made of parallel branches over consecutive slices of the channels.
///
/// It covers the paper's spatial multiplexing (branches of several scales), mixed depthwise kernels
/// (MixNet; the reduction blocks of MUXNet) and split pointwise convolutions. The branches' outputs
/// are concatenated in order. Where H or W is no multiple of r, a multiplexed branch pads zeros at
/// the bottom and the right, and crops after.
public struct BranchedConvolution: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case branches
  }

  /// One branch: a slice of the channels, and the convolution that it goes through.
  public struct Branch: Sendable, Hashable, Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, convolution, multiplexing, factor
    }

    /// The suffix of the weight's name below the node's, such as `0` or `convs.0.1`.
    public var name: String
    /// The convolution as it runs inside the branch, with channels counted after multiplexing.
    public var convolution: Convolution
    /// The move before the convolution, undone after it.
    public var multiplexing: SpatialMultiplexing
    /// r, the side of the multiplexed windows in pixels.
    public var factor: Int

    /// A branch.
    public init(
      name: String, convolution: Convolution, multiplexing: SpatialMultiplexing = .none,
      factor: Int = 2
    ) {
      self.name = name
      self.convolution = convolution
      self.multiplexing = multiplexing
      self.factor = factor
    }

    /// Reads a branch; it is plain unless said.
    public init(from decoder: any Decoder) throws {
      try decoder.rejectUnknownKeys(CodingKeys.self)
      let values = try decoder.container(keyedBy: CodingKeys.self)
      try values.superDecoder(forKey: .convolution).rejectUnknownKeys(Convolution.CodingKeys.self)
      self.init(
        name: try values.decode(String.self, forKey: .name),
        convolution: try values.decode(Convolution.self, forKey: .convolution),
        multiplexing: try values.value(.multiplexing, default: .none),
        factor: try values.value(.factor, default: 2))
    }

    /// The channels of the node's input that the branch reads.
    public var inputChannels: Int { outside(convolution.inputChannels) }
    /// The channels of the node's output that the branch writes.
    public var outputChannels: Int { outside(convolution.outputChannels) }

    private func outside(_ channels: Int) -> Int {
      switch multiplexing {
      case .none: channels
      case .subpixel: channels / (factor * factor)
      case .superpixel: channels * factor * factor
      }
    }

    /// The grid on which the convolution runs for an outer grid of `size` positions.
    func innerSize(_ size: Int) -> Int {
      switch multiplexing {
      case .none: size
      case .subpixel: (size + factor - 1) / factor
      case .superpixel: (size + factor - 1) / factor * factor * factor
      }
    }

    /// The grid on which the convolution runs for images of a shape.
    package func innerSize(_ outer: Shape) -> ImageSize {
      ImageSize(height: innerSize(outer.height), width: innerSize(outer.width))
    }

    /// The outer grid that results from an outer grid of `size` positions.
    func outputSize(_ size: Int) -> Int {
      multiplexing == .none ? convolution.outputSize(size) : size
    }

    var defect: String? {
      if let defect = convolution.defect { return defect }
      if factor < 1 { return "the multiplexing factor r must be above 0, not \(factor)" }
      guard multiplexing != .none else { return nil }
      let window = factor * factor
      if factor < 2 { return "the multiplexing factor r must be at least 2, not \(factor)" }
      if convolution.stride != 1 || !convolution.keepsGrid {
        return "a multiplexed branch needs stride 1, an odd kernel and 'same' padding"
      }
      if multiplexing == .subpixel
        && (convolution.inputChannels % window != 0 || convolution.outputChannels % window != 0)
      {
        return "the subpixel branch needs channels that are multiples of \(window)"
      }
      return nil
    }
  }

  /// The branches, in the order of the channels.
  public var branches: [Branch]

  /// A branched convolution.
  public init(branches: [Branch]) {
    self.branches = branches
  }

  /// Reads a branched convolution.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    branches = try values.list(of: Branch.self, .branches, atMost: Limits.branches)
  }

  /// C, the channels that go in.
  public var inputChannels: Int { branches.reduce(0) { $0 + $1.inputChannels } }
  /// C′, the channels that come out.
  public var outputChannels: Int { branches.reduce(0) { $0 + $1.outputChannels } }
  /// Whether some branch multiplexes space and channels.
  public var isMultiplexed: Bool { branches.contains { $0.multiplexing != .none } }
  /// The common stride of the branches.
  public var stride: Int { branches.map(\.convolution.stride).max() ?? 1 }
}

extension BranchedConvolution: OperationRules {
  static let kind = OperationKind.branchedConvolution
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .branchedConvolution(self) }
  var formatVersion: Int { branches.map(\.convolution.formatVersion).max() ?? 1 }

  var isWithinLimits: Bool {
    branches.count <= Limits.branches
      && branches.allSatisfy {
        $0.convolution.isWithinLimits && Limits.holds([$0.factor], Limits.factor)
      }
  }

  var defect: String? {
    if branches.isEmpty { return "a branched convolution needs at least one branch" }
    if Set(branches.map(\.name)).count != branches.count { return "two branches share a name" }
    for branch in branches {
      if let defect = branch.defect { return "branch '\(branch.name)': \(defect)" }
    }
    return nil
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    try ShapeMismatch.check(inputs[0], hasChannels: inputChannels)
    let channels = outputChannels
    let shapes = Set(
      branches.map {
        Shape(
          channels: channels, height: $0.outputSize(inputs[0].height),
          width: $0.outputSize(inputs[0].width))
      })
    guard let shape = shapes.first, shapes.count == 1 else {
      throw ShapeMismatch(reason: "its branches give images of different sizes")
    }
    return shape
  }

  var parameters: [ParameterRule] {
    branches.enumerated().flatMap { position, branch in
      branch.convolution.parameters(prefix: "\(branch.name).", branch: position)
    }
  }

  func costs(input: Shape, output: Shape) -> [OperationCost] {
    branches.map { branch in
      let inner = branch.convolution
      return .init(
        inner.layerKind, branch: branch.name,
        output: Shape(channels: branch.outputChannels, height: output.height, width: output.width),
        parameters: inner.parameterCount,
        multiplyAdds: inner.multiplyAdds(
          height: inner.outputSize(branch.innerSize(input.height)),
          width: inner.outputSize(branch.innerSize(input.width))))
    }
  }

  var windows: [(convolution: Convolution, factor: Int)] {
    branches.map { ($0.convolution, $0.factor) }
  }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { false }
}
