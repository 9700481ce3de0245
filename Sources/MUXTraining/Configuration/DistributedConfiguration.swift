// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// How several processes train together. Without others none of it matters.
public struct DistributedConfiguration: Codable, Hashable, Sendable {
  /// How gradients travel.
  public enum Gradients: String, Codable, CaseIterable, Sendable {
    /// As they are.
    case float32
    /// As numbers of 8 significant bits.
    case bfloat16
  }

  /// Seconds to wait for another process before it counts as lost, 1…86400.
  public var timeout: Double = 300
  /// The network interface of this process's connections, such as `eth0`; `nil` takes the one that leads to
  /// the machine of process 0.
  public var interface: String?
  /// Whether batch norms use statistics over the images of all processes.
  public var synchronizedNorms: Bool = false
  /// How gradients travel: `bfloat16` is half the bytes, for slow networks, and rounds the sums.
  public var gradients: Gradients = .float32
  /// Mebibytes of gradients that travel together, but for the first one, 1…1024.
  public var bucketMebibytes: Int = 25

  /// The defaults.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension DistributedConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "timeout", \.timeout,
        "Seconds to wait for another process before it counts as lost", unit: "seconds",
        in: .within(1...86_400)),
      Setting(
        "interface", \.interface,
        "The network interface of this process's connections, such as eth0",
        absent: "the one that leads to the machine of process 0", in: .named("eth0")),
      Setting(
        "synchronizedNorms", \.synchronizedNorms,
        "Whether batch norms use statistics over the images of all processes"),
      Setting("gradients", \.gradients, "How gradients travel between processes"),
      Setting(
        "bucketMebibytes", \.bucketMebibytes,
        "Bucket size of gradients in mebibytes; the first bucket has one", unit: "mebibytes",
        in: .within(1...1024)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "distributed") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}

extension DistributedConfiguration.Gradients: ChosenSetting {
  package var meaning: String {
    switch self {
    case .float32: "as they are"
    case .bfloat16: "half the bytes, for slow networks; sums are rounded to 8 bits"
    }
  }
}
