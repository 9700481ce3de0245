// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Which checkpoints are kept, and when.
public struct CheckpointConfiguration: Codable, Hashable, Sendable {
  /// The number of best checkpoints kept beside the last one.
  public var keepBest: Int = 1
  /// The metric of the task by which they are ranked, such as `top1`; `nil` takes the task's first.
  public var metric: String?
  /// Saves the last checkpoint also every so many steps; 0 means at the end of epochs only.
  public var everySteps: Int = 0
  /// Saves the last checkpoint every so many epochs (and always after the final one).
  public var everyEpochs: Int = 1

  /// The defaults: the last checkpoint after each epoch, and the best one.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension CheckpointConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "keepBest", \.keepBest, "The number of best checkpoints kept beside the last one",
        unit: "checkpoints", in: .within(0...1_000_000)),
      Setting(
        "metric", \.metric,
        "The metric of the task that ranks epochs and checkpoints, such as top1",
        absent: "the task's first", in: .named("top1")),
      Setting(
        "everySteps", \.everySteps,
        "Saves the last checkpoint also every N steps; 0: only at the end of epochs",
        unit: "steps", in: .within(0...1_000_000_000)),
      Setting(
        "everyEpochs", \.everyEpochs,
        "Saves the last checkpoint every N epochs, and always after the final one",
        unit: "epochs", in: .within(1...1_000_000)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "checkpoints") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}
