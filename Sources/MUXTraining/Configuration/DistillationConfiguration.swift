// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A trained network whose answers are learned beside the truth (Hinton et al. 2015).
public struct DistillationConfiguration: Codable, Hashable, Sendable {
  /// The teacher: a weights file or the folder of a run, of the same task and classes; `nil`, the
  /// default, means none. It sees the same augmented and mixed images, at the size that it was trained
  /// for.
  public var teacher: String?
  /// The temperature T by which outputs of teacher and student are divided before they are compared,
  /// 0.1…100: the higher, the more weigh the classes that are unlikely. 2 by default.
  public var temperature: Double = 2
  /// Share of the loss that is the difference from the teacher (times T², so that its gradients keep
  /// their size), 0…1; the rest is the loss of the task. 0.5 by default.
  public var weight: Double = 0.5

  /// The defaults: no teacher.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension DistillationConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "teacher", \.teacher,
        "A weights file or the folder of a run, of the same task and classes", absent: "none",
        in: .named("teacher.safetensors")),
      Setting(
        "temperature", \.temperature,
        "By what outputs are divided before they are compared; higher weighs unlikely classes more",
        in: .within(0.1...100)),
      Setting(
        "weight", \.weight,
        "Share of the loss that is the difference from the teacher; the rest is that of the task",
        in: .within(0...1)),
    ]
  }

  /// Checks every setting.
  public func validate(path: String = "distillation") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}
