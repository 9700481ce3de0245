// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A classification network in a few lines: a stem, stages of block strings, a head.
///
/// In YAML (a block-string file):
/// ```yaml
/// name: tiny_mux
/// inputSize: 32
/// classes: 10
/// stem: {channels: 16, stride: 1}
/// stages:
///   - [ds_k3_c16_se0.25_nre]
///   - [ir_k3.5_s2_e4_c24, mux_r2_k3_e4_c24_se0.75_sc-1.0.0.1]
/// head: {channels: 256}
/// ```
/// Block i of stage s is named `blocks.s.i`, as in timm and in the paper's code.
public struct Architecture: Sendable, Hashable {
  /// The convolution that takes the image.
  public struct Stem: Sendable, Hashable, Encodable {
    /// Output channels, before the width multiplier.
    public var channels: Int
    /// The kernel's side in pixels.
    public var kernelSize: Int = 3
    /// The step in pixels.
    public var stride: Int = 2
    /// Whether the width multiplier applies.
    public var scalesWithWidth: Bool = true

    /// A stem; 3×3 at stride 2 unless given.
    public init(
      channels: Int, kernelSize: Int = 3, stride: Int = 2, scalesWithWidth: Bool = true
    ) {
      self.channels = channels
      self.kernelSize = kernelSize
      self.stride = stride
      self.scalesWithWidth = scalesWithWidth
    }
  }

  /// The last 1×1 convolution.
  public struct Head: Sendable, Hashable, Encodable {
    /// F, the features, before the width multiplier; 0 leaves the convolution out.
    public var channels: Int
    /// How the width multiplier applies.
    public var width: HeadWidth = .fixed
    /// Whether it stands behind the global pool, with a bias and no batch norm (MobileNetV3).
    public var followsPool = false

    /// A head of `channels` features.
    public init(channels: Int, width: HeadWidth = .fixed, followsPool: Bool = false) {
      self.channels = channels
      self.width = width
      self.followsPool = followsPool
    }
  }

  /// How the squeeze-and-excitation of the blocks is made.
  public typealias Excitation = ExcitationSettings

  /// How a head follows the width multiplier.
  public enum HeadWidth: String, Sendable, Hashable, Codable {
    /// The head's channels stay as they are, whatever the width multiplier.
    case fixed
    /// Rounded like every other width (the paper's code).
    case scaled
    /// Only upwards, above multiplier 1 (MobileNetV2).
    case widenOnly
  }

  /// The model's name.
  public var name: String
  /// The channels of the images.
  public var inputChannels: Int = 3
  /// The size of the images.
  public var inputSize = ImageSize(224)
  /// The outputs of the classifier.
  public var classes: Int = 1000
  /// The first convolution.
  public var stem: Stem
  /// The blocks, stage by stage.
  public var stages: [[BlockSpecification]]
  /// The 1×1 convolution before the pooling; it is left out where it has no channels.
  public var head: Head
  /// The non-linearity of stem and head, and of blocks that do not say theirs.
  public var activation: Activation = .swish
  /// How the squeeze-and-excitation of the blocks is made.
  public var excitation = Excitation()
  /// Expanded channels are rounded to multiples of it; 1 cuts off the fraction (the paper's code).
  public var expansionDivisor: Int = 1
  /// Multiplies the widths, rounded to multiples of 8 and never below 90 % of the exact value.
  public var widthMultiplier: Double = 1
  /// The step from input to last feature map, nil for that of the blocks. Strides are removed from
  /// the front (stem first) until it is met: small images keep resolution where they have detail.
  public var outputStride: Int?
  /// The dropout rate before the classifier.
  public var dropoutRate: Double = 0
  /// The rate of stochastic depth at the last block, growing linearly from 0 at the first.
  public var dropPathRate: Double = 0
  /// ε of the batch norms.
  public var normalizationEpsilon: Double = 1e-5
  /// Momentum of the batch norms.
  public var normalizationMomentum: Double = 0.1
  /// The zeros around images: `same` is TensorFlow's rule, for weights that were trained with it.
  public var padding: Convolution.PaddingRule = .symmetric
  /// The rule for fresh weights.
  public var initialization: WeightInitialization = .google

  /// An architecture from its three parts.
  public init(name: String, stem: Stem, stages: [[BlockSpecification]], head: Head) {
    self.name = name
    self.stem = stem
    self.stages = stages
    self.head = head
  }

  /// All non-linearities that the architecture names.
  var functions: [Activation] {
    [activation, excitation.gate, excitation.activation].compactMap(\.self)
      + stages.joined().compactMap(\.activation)
  }

  /// Rounds a width times the multiplier to a multiple of `divisor`, at least `divisor`, and not
  /// below 90 % of the exact value (MobileNet's rule, also of the paper's code).
  static func roundedWidth(
    _ channels: Int, multiplier: Double, divisor: Int = 8
  ) -> Int {
    multiplier == 1 ? channels : ChannelRounding.rounded(Double(channels) * multiplier, to: divisor)
  }
}
