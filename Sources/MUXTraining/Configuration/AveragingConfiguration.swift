// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The exponential moving average of the weights and of the batch norms' statistics.
public struct AveragingConfiguration: Codable, Hashable, Sendable {
  /// Whether an average is kept, evaluated and saved.
  public var isEnabled: Bool = false
  /// Share of the average that stays at each step; 0.9998 in the paper.
  public var decay: Double = 0.9998
  /// Whether the decay of step t is min(`decay`, (1 + t)/(10 + t)), so that a short run is not
  /// weighed down by its random start.
  public var ramps: Bool = false
  /// Whether the weights as they are get evaluated too, which takes twice the time.
  public var evaluatesBoth: Bool = false

  /// The defaults: no average.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.update(&isEnabled, .isEnabled)
    try container.update(&decay, .decay)
    try container.update(&ramps, .ramps)
    try container.update(&evaluatesBoth, .evaluatesBoth)
  }

  enum CodingKeys: String, CodingKey {
    case isEnabled = "enabled"
    case decay
    case ramps = "ramp"
    case evaluatesBoth = "evaluateBoth"
  }

  /// The decay after `updates` earlier updates.
  public func decay(afterUpdates updates: Int) -> Double {
    ramps ? min(decay, Double(1 + updates) / Double(10 + updates)) : decay
  }

  /// Checks every setting.
  public func validate(path: String = "average") throws(ConfigurationError) {
    try ConfigurationError.require(
      decay >= 0 && decay < 1, "\(path).decay", decay, "must be at least 0 and less than 1")
  }
}
