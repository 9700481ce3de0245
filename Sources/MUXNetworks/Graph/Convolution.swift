// SPDX-License-Identifier: Apache-2.0

/// A two-dimensional convolution with a square kernel, [N, C, H, W] → [N, C′, H′, W′].
///
/// `padding` zeros are added on each side; H′ = ⌊(H + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1.
public struct Convolution: Sendable, Hashable, Codable {
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

  /// A convolution; padding is "same" for odd kernels unless given, as in the paper's code.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int = 1, stride: Int = 1,
    padding: Int? = nil, dilation: Int = 1, groups: Int = 1, hasBias: Bool = false
  ) {
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding ?? dilation * (kernelSize - 1) / 2
    self.dilation = dilation
    self.groups = groups
    self.hasBias = hasBias
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

  /// The number of output positions for an input of `size` positions, which may be below 1.
  package func outputSize(_ size: Int) -> Int {
    let span = size + 2 * padding - dilation * (kernelSize - 1) - 1
    return span < 0 ? 0 : span / stride + 1
  }

  /// Says why the settings are impossible, nil if they are sound.
  var defect: String? {
    if inputChannels < 1 || outputChannels < 1 { return "a convolution needs at least one channel" }
    if kernelSize < 1 || stride < 1 || dilation < 1 || padding < 0 {
      return "kernel \(kernelSize), stride \(stride), dilation \(dilation) or padding \(padding)"
        + " is out of range"
    }
    if groups < 1 || inputChannels % groups != 0 || outputChannels % groups != 0 {
      return "\(inputChannels) → \(outputChannels) channels cannot be divided into \(groups) groups"
    }
    return nil
  }
}
