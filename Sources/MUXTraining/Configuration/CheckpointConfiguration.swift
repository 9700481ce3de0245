// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What is kept of a run, and when.
public struct CheckpointConfiguration: Codable, Hashable, Sendable {
  /// How many of the best checkpoints are kept beside the last one.
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
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.update(&keepBest, .keepBest)
    try container.update(&metric, .metric)
    try container.update(&everySteps, .everySteps)
    try container.update(&everyEpochs, .everyEpochs)
  }

  /// Checks every setting.
  public func validate(path: String = "checkpoints") throws(ConfigurationError) {
    try ConfigurationError.require("\(path).keepBest", keepBest, in: 0...1_000_000)
    try ConfigurationError.require("\(path).everySteps", everySteps, in: 0...1_000_000_000)
    try ConfigurationError.require("\(path).everyEpochs", everyEpochs, in: 1...1_000_000)
  }
}
