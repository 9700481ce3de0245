// SPDX-License-Identifier: Apache-2.0

/// One line of an architecture: a kind of block, its settings, and how often it is repeated.
///
/// Its compact form is a block string in timm's spirit, such as
/// `mux_r2_k5_e6_c80_l0.5_se0.75_nsw_gw2`; ``BlockStringGrammar`` lists the tokens. Reading and
/// writing round-trip.
public struct BlockSpecification: Sendable, Hashable {
  /// What the block is made of.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A dense k×k convolution, batch norm, activation.
    case convolution = "cn"
    /// Depthwise k×k, then a linear 1×1.
    case depthwiseSeparable = "ds"
    /// Depthwise k×k, then a 1×1 with an activation, no residual sum (MobileNetV1).
    case activatedSeparable = "dsa"
    /// 1×1 expansion, depthwise k×k, linear 1×1 projection.
    case invertedResidual = "ir"
    /// An inverted residual on part of the channels, then a shuffle of all (paper, section 3).
    case mux = "mux"
  }

  /// What the block is made of.
  public var kind: Kind
  /// How many copies; the stride applies to the first.
  public var repeats: Int
  /// The kernel sizes in pixels: one, one per scale, or several mixed over the channels.
  public var kernelSizes: [Int]
  /// The step of the spatial convolution in pixels.
  public var stride: Int
  /// The ratio of the expanded channels to the (processed) input's.
  public var expansion: Double
  /// The output channels, before a width multiplier.
  public var channels: Int
  /// Squeeze-and-excitation's reduced channels over the (processed) input's; 0 leaves it out.
  public var squeezeRatio: Double
  /// The non-linearity, nil for the network's.
  public var activation: Activation?
  /// Whether a residual sum is left out where shapes would allow it.
  public var skipsResidual: Bool
  /// l, the share of channels that passes unprocessed (mux only).
  public var leaveOutRatio: Double
  /// Channels in a group of the spatial convolution; 1 is depthwise.
  public var groupWidth: Int
  /// The groups of the channel shuffle (mux only).
  public var shuffleGroups: Int
  /// The equal groups of channels with an expansion each (MixNet); 1 is one dense 1×1.
  public var expansionGroups: Int
  /// The equal groups of channels with a projection each (MixNet); 1 is one dense 1×1.
  public var projectionGroups: Int
  /// The scales of spatial multiplexing over equal slices of the channels; empty for none.
  public var scales: [SpatialMultiplexing]
  /// r, the side of the multiplexed windows in pixels.
  public var multiplexingFactor: Int

  /// A block; all but the kind and the channels have defaults.
  public init(
    _ kind: Kind, channels: Int, repeats: Int = 1, kernelSizes: [Int] = [3], stride: Int = 1,
    expansion: Double = 1, squeezeRatio: Double = 0, activation: Activation? = nil,
    skipsResidual: Bool = false, leaveOutRatio: Double = 0.5, groupWidth: Int = 1,
    shuffleGroups: Int = 2, expansionGroups: Int = 1, projectionGroups: Int = 1,
    scales: [SpatialMultiplexing] = [], multiplexingFactor: Int = 2
  ) {
    self.kind = kind
    self.repeats = repeats
    self.kernelSizes = kernelSizes
    self.stride = stride
    self.expansion = expansion
    self.channels = channels
    self.squeezeRatio = squeezeRatio
    self.activation = activation
    self.skipsResidual = skipsResidual
    self.leaveOutRatio = kind == .mux ? leaveOutRatio : 0
    self.groupWidth = groupWidth
    self.shuffleGroups = kind == .mux ? shuffleGroups : 1
    self.expansionGroups = expansionGroups
    self.projectionGroups = projectionGroups
    self.scales = scales
    self.multiplexingFactor = multiplexingFactor
  }

  /// The scales of the paper's section 6: C₁ = C₃ = C/4 multiplexed, C₂ = C/2 plain.
  public static let paperScales: [SpatialMultiplexing] = [.subpixel, .none, .none, .superpixel]
}

extension BlockSpecification {
  /// The bounds of settings, in block strings and in code alike.
  enum Bounds {
    static let repeats = 1000
    static let setting = 1 << 20
    static let kernel = 31
    static let branches = 64
    static let expansion = 0.01...64.0
    static let squeezeRatio = 0.0...16.0
    static let leaveOutRatio = 0.0...0.99
  }

  /// Says which setting is out of its bounds, nil if none is: what is written in code has met no
  /// parser.
  var defect: String? {
    func within(_ value: Int, _ most: Int = Bounds.setting) -> Bool { (1...most).contains(value) }
    let checks: [(Bool, String)] = [
      (within(repeats, Bounds.repeats), "\(repeats) repeats"),
      (
        !kernelSizes.isEmpty && kernelSizes.count <= Bounds.branches
          && kernelSizes.allSatisfy { within($0, Bounds.kernel) && $0 % 2 == 1 },
        "kernel sizes \(kernelSizes.prefix(Bounds.branches))"
      ),
      (within(stride), "stride \(stride)"),
      (Bounds.expansion.contains(expansion), "expansion \(expansion)"),
      (within(channels), "\(channels) channels"),
      (Bounds.squeezeRatio.contains(squeezeRatio), "squeeze ratio \(squeezeRatio)"),
      (Bounds.leaveOutRatio.contains(leaveOutRatio), "leave-out ratio \(leaveOutRatio)"),
      (within(groupWidth), "group width \(groupWidth)"),
      (within(shuffleGroups), "\(shuffleGroups) shuffle groups"),
      (within(expansionGroups, Bounds.branches), "\(expansionGroups) expansion groups"),
      (within(projectionGroups, Bounds.branches), "\(projectionGroups) projection groups"),
      (scales.count <= Bounds.branches, "\(scales.count) scales"),
      (within(multiplexingFactor, Limits.factor), "factor \(multiplexingFactor)"),
    ]
    return checks.first { !$0.0 }.map { "\($0.1) cannot be" }
  }
}
