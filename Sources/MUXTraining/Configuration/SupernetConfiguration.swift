// SPDX-License-Identifier: Apache-2.0
package import MUXCore

/// A super-network: weights that all networks of a search space share, and of which some are trained in each
/// step.
public struct SupernetConfiguration: Codable, Hashable, Sendable {
  /// Which networks a step trains.
  public enum Rule: String, Codable, CaseIterable, Sendable {
    /// The largest by the loss of the task, then some drawn ones and the smallest by its answers (in-place
    /// distillation; Yu et al. 2020).
    case sandwich
    /// One, drawn, by the loss of the task (Guo et al. 2020).
    case single
  }

  /// What networks of different widths share.
  public enum Widths: String, Codable, CaseIterable, Sendable {
    /// The first channels of the widest.
    case shared
    /// Nothing that reads the channels of a stage.
    case own
  }

  /// The search space: a name (`digits`, `small`, `imagenet`) or a file; `nil`, the default, trains one
  /// network and no super-network.
  public var space: String?
  /// Which networks a step trains; `sandwich` by default.
  public var rule: Rule = .sandwich
  /// Rule `sandwich`: networks that are drawn beside the largest and the smallest, 0…64; 2 by default.
  public var drawnNetworks: Int = 2
  /// What networks of different widths share; `shared` by default.
  public var widths: Widths = .shared
  /// The most parameters of a network that is trained; `nil` for those of the space.
  public var maximumParameters: Int?
  /// The most multiply-adds of a network that is trained; `nil` for those of the space. A largest network
  /// far above what is searched takes most of the time.
  public var maximumMultiplyAdds: Int?
  /// Training images from which a network measures the statistics of its batch norms anew before it is
  /// evaluated, 1…1000000; 2000 by default.
  public var statisticsImages: Int = 2000

  /// The defaults: no super-network.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  /// Whether a super-network is trained.
  public var isEnabled: Bool { space != nil }
}

extension SupernetConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "space", \.space, "The search space: digits, small, imagenet or a file",
        absent: "no super-network; one network is trained", in: .named("digits")),
      Setting(
        "rule", \.rule,
        "Which networks a step trains: the largest, the smallest and random ones, or a single random one"
      ),
      Setting(
        "drawnNetworks", \.drawnNetworks,
        "Rule sandwich: random networks beside the largest and the smallest", unit: "networks",
        in: .within(0...64)),
      Setting(
        "widths", \.widths,
        "What networks of different widths share: the first channels, or nothing that reads a stage's"
      ),
      Setting(
        "maximumParameters", \.maximumParameters,
        "The most parameters of a network that is trained", absent: "as the space has it",
        in: .within(1...1_000_000_000_000)),
      Setting(
        "maximumMultiplyAdds", \.maximumMultiplyAdds,
        "The most multiply-adds of a network that is trained", absent: "as the space has it",
        in: .within(1...1_000_000_000_000)),
      Setting(
        "statisticsImages", \.statisticsImages,
        "Training images on which a network's batch norms are recalibrated before an evaluation",
        unit: "images", in: .within(1...1_000_000)),
    ]
  }

  /// Refuses settings of one network's training that mean nothing for many.
  func check(_ configuration: TrainingConfiguration) throws(ConfigurationError) {
    guard isEnabled else { return }
    let (model, optimizer) = (configuration.model, configuration.optimizer)
    let foreign: [(setting: String, isGiven: Bool)] = [
      ("model.initialWeights", model.initialWeights != nil),
      ("model.freeze", !model.freeze.isEmpty),
      ("model.statistics", model.statistics != .batch),
      ("model.headBias", model.headBias != .fresh),
      ("model.checkpointsActivations", model.checkpointsActivations),
      ("optimizer.layerDecay", optimizer.layerDecay < 1),
      ("optimizer.learningRateScale", !optimizer.learningRateScale.isEmpty),
      ("distillation.features", !configuration.distillation.features.isEmpty),
    ]
    if let first = foreign.first(where: \.isGiven) {
      throw ConfigurationError(
        setting: first.setting, value: "set",
        expected:
          "it is for the training of one network; a super-network (supernet.space) has no such"
          + " setting")
    }
  }
}

extension SupernetConfiguration.Rule: ChosenSetting {
  package var meaning: String {
    switch self {
    case .sandwich:
      "the largest network by the task's loss, random ones and the smallest by its predictions"
    case .single: "one random network, by the task's loss"
    }
  }
}

extension SupernetConfiguration.Widths: ChosenSetting {
  package var meaning: String {
    switch self {
    case .shared: "the first channels of the widest"
    case .own: "nothing that reads a stage's channels: tensors for each width"
    }
  }
}
