// SPDX-License-Identifier: Apache-2.0

/// MobileNetV2 (Sandler et al. 2018) at any width, with the two switches of the paper's ablation
/// (section 6): both act on the repeat blocks, those with a residual.
public struct MobileNetV2: Sendable, Hashable {
  /// The factor of all channels, before they are rounded.
  public var widthMultiplier: Double = 1
  /// Whether the depthwise convolutions of the repeat blocks multiplex space (C/4, C/2, C/4).
  public var usesSpatialMultiplexing = false
  /// l, the share of channels that the repeat blocks leave out; 0 for the plain network.
  public var leaveOutRatio: Double = 0
  /// The side of the depthwise kernels of the repeat blocks. Kernels of 5 see as far as multiplexing does,
  /// which makes them a control of it.
  public var repeatKernelSize = 3

  /// MobileNetV2; plain unless the switches are set.
  public init(
    widthMultiplier: Double = 1, usesSpatialMultiplexing: Bool = false, leaveOutRatio: Double = 0
  ) {
    self.widthMultiplier = widthMultiplier
    self.usesSpatialMultiplexing = usesSpatialMultiplexing
    self.leaveOutRatio = leaveOutRatio
  }

  /// The network as an architecture; names in timm's style, such as `mobilenetv2_050`.
  public func architecture() -> Architecture {
    var stages: [[BlockSpecification]] = [
      [BlockSpecification(.depthwiseSeparable, channels: 16)]
    ]
    for (channels, repeats, stride) in [
      (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1),
    ] {
      let first = BlockSpecification(
        .invertedResidual, channels: channels, stride: stride, expansion: 6)
      stages.append([first] + (repeats > 1 ? [repeated(channels, repeats - 1)] : []))
    }
    var architecture = Architecture(
      name: name, stem: .init(channels: 32), stages: stages,
      head: .init(channels: 1280, width: .widenOnly))
    architecture.activation = .relu6
    architecture.widthMultiplier = widthMultiplier
    architecture.initialization = .googleGroups
    return architecture
  }

  private func repeated(_ channels: Int, _ repeats: Int) -> BlockSpecification {
    BlockSpecification(
      leaveOutRatio > 0 ? .mux : .invertedResidual, channels: channels, repeats: repeats,
      kernelSizes: [repeatKernelSize], expansion: 6, leaveOutRatio: leaveOutRatio,
      scales: usesSpatialMultiplexing ? BlockSpecification.paperScales : [])
  }

  private var name: String {
    let percent = String(Int((widthMultiplier * 100).rounded()))
    return "mobilenetv2_" + String(repeating: "0", count: max(0, 3 - percent.count)) + percent
      + (usesSpatialMultiplexing ? "_mux" : "")
      + (repeatKernelSize == 3 ? "" : "_k\(repeatKernelSize)")
      + (leaveOutRatio > 0 ? "_l\(Int((leaveOutRatio * 100).rounded()))" : "")
  }
}
