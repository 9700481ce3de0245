// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The average of the weights and of the batch norms' statistics.
public struct AveragingConfiguration: Codable, Hashable, Sendable {
  /// A kind of average.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// An exponential moving average over the steps.
    case ema
    /// The plain mean of the weights at the ends of epochs (stochastic weight averaging, Izmailov et
    /// al. 2018); the statistics of the batch norms are measured anew for it.
    case swa
  }

  /// Whether an average is kept, evaluated and saved.
  public var isEnabled: Bool = false
  /// The kind of average: `ema`, exponential over the steps, or `swa`, the plain mean of the weights at
  /// the ends of epochs.
  public var kind: Kind = .ema
  /// Epochs that are done when averaging begins, 0…1000000; before that the average is the weights as
  /// they are. 0, the default, averages from the start.
  public var startEpoch: Int = 0
  /// Kind `swa`: batches of training images from which the averaged weights measure the statistics of
  /// their batch norms before each evaluation, 1…1000000.
  public var statisticsBatches: Int = 100
  /// Kind `ema`: share of the average that stays at each step; 0.9998 in the paper.
  public var decay: Double = 0.9998
  /// Kind `ema`: whether the decay of step t is min(`decay`, (1 + t)/(10 + t)), so that a short run is not
  /// weighed down by its random start.
  public var ramps: Bool = false
  /// Whether the current weights are evaluated as well, which takes twice the time.
  public var evaluatesBoth: Bool = false

  /// The defaults: no average.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  enum CodingKeys: String, CodingKey {
    case isEnabled = "enabled"
    case kind, startEpoch, statisticsBatches
    case decay
    case ramps = "ramp"
    case evaluatesBoth = "evaluateBoth"
  }

  /// The decay after `updates` earlier updates.
  public func decay(afterUpdates updates: Int) -> Double {
    ramps ? min(decay, Double(1 + updates) / Double(10 + updates)) : decay
  }
}

extension AveragingConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "enabled", \.isEnabled, "Whether an average of the weights is kept, evaluated and saved"),
      Setting("kind", \.kind, "The kind of average"),
      Setting(
        "startEpoch", \.startEpoch,
        "Epochs before averaging begins; until then the average equals the current weights",
        unit: "epochs", in: .within(0...1_000_000)),
      Setting(
        "statisticsBatches", \.statisticsBatches,
        "Kind swa: batches on which the batch norms of the averaged weights are recalibrated",
        unit: "batches", in: .within(1...1_000_000)),
      Setting(
        "decay", \.decay,
        "Kind ema: share of the average that stays at each step (0.9998 in the paper)",
        in: .within(0..<1)),
      Setting(
        "ramp", \.ramps,
        "Kind ema: whether the decay of step t is min(decay, (1 + t)/(10 + t)), for short runs"),
      Setting(
        "evaluateBoth", \.evaluatesBoth,
        "Whether the current weights are evaluated as well, which takes twice the time"),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "average") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}

extension AveragingConfiguration.Kind: ChosenSetting {
  package var meaning: String {
    switch self {
    case .ema: "an exponential moving average over the steps"
    case .swa: "the plain mean of the weights at the ends of epochs"
    }
  }
}
