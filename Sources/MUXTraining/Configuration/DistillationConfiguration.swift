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
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.update(&teacher, .teacher)
    try container.update(&temperature, .temperature)
    try container.update(&weight, .weight)
  }

  /// Checks every setting.
  public func validate(path: String = "distillation") throws(ConfigurationError) {
    try ConfigurationError.require("\(path).temperature", temperature, in: 0.1...100)
    try ConfigurationError.require("\(path).weight", weight, in: 0...1)
    try ConfigurationError.require(
      teacher.map { !$0.isEmpty } ?? true, "\(path).teacher", "empty",
      "name a weights file or the folder of a run")
  }
}
