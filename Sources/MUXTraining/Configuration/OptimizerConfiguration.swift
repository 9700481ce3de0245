// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Which optimizer updates the weights, with every setting of it.
///
/// One flat value holds the settings of all kinds; those of other kinds are ignored.
public struct OptimizerConfiguration: Codable, Hashable, Sendable {
  /// The update rule.
  public enum Kind: String, Codable, CaseIterable, Sendable {
    /// Stochastic gradient descent with momentum, dampening and Nesterov's form.
    case sgd
    /// RMSProp as TensorFlow 1 has it and as the paper's sources use it: the mean square starts
    /// at 1, epsilon stands inside the root, and the learning rate inside the momentum buffer.
    case rmspropTensorFlow
    /// RMSProp as PyTorch has it.
    case rmsprop
    /// Adam with decoupled weight decay.
    case adamW
  }

  /// The update rule.
  public var kind: Kind = .sgd
  /// The learning rate before the schedule.
  public var learningRate: Double = 0.1
  /// Whether `learningRate` is meant for `referenceBatchSize` images and scales with the batch.
  public var scaling: BaseRate.Scaling = .none
  /// The batch for which `learningRate` was tuned, where `scaling` is not `none`.
  public var referenceBatchSize: Int = 256
  /// Momentum (SGD and both forms of RMSProp).
  public var momentum: Double = 0.9
  /// SGD: how much of the gradient is left out of the momentum buffer.
  public var dampening: Double = 0
  /// SGD: Nesterov's look-ahead.
  public var nesterov: Bool = false
  /// RMSProp: decay of the mean square.
  public var squareDecay: Double = 0.9
  /// Added to the denominator to avoid division by zero; `nil` means the usual one: 0.001 for `rmspropTensorFlow`, else 1e-8.
  public var epsilon: Double?
  /// AdamW: decay of the mean gradient.
  public var beta1: Double = 0.9
  /// AdamW: decay of the mean square.
  public var beta2: Double = 0.999
  /// Weight decay: added to the gradient (SGD, RMSProp), or decoupled (AdamW).
  public var weightDecay: Double = 0
  /// Whether weight decay also acts on parameters of one dimension: the scales and offsets of
  /// batch norms, and biases.
  public var decaysNormAndBias: Bool = false
  /// Scales all gradients down to this L2 norm where it is exceeded; `nil` means no limit.
  public var clipNorm: Double?
  /// Clamps each gradient value to ± this; `nil` means no limit.
  public var clipValue: Double?

  /// Factors of the learning rate by parameter: of the first entry whose pattern matches a name (as in
  /// `model.freeze`), 0…1000; 1 where none does. In a file a list such as
  /// `[{parameters: classifier, factor: 10}, {parameters: "*", factor: 0.1}]`; empty by default.
  public var learningRateScale: [LearningRateScale] = []
  /// Factor of the learning rate from each block of the network to the one before it, above 0 and at
  /// most 1: the head has the whole rate, the block before it this share, and so on down to the stem.
  /// It multiplies with `learningRateScale`; 1, the default, gives all blocks one rate.
  public var layerDecay: Double = 1

  /// The defaults: SGD with momentum 0.9 at rate 0.1.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  /// The epsilon in force.
  public var resolvedEpsilon: Double { epsilon ?? (kind == .rmspropTensorFlow ? 1e-3 : 1e-8) }
}

extension OptimizerConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting("kind", \.kind, "The update rule"),
      Setting(
        "learningRate", \.learningRate, "The learning rate before the schedule",
        in: .above(0, upTo: 1e30)),
      Setting(
        "scaling", \.scaling,
        "How the learning rate, meant for referenceBatchSize, follows the batch"),
      Setting(
        "referenceBatchSize", \.referenceBatchSize, "The batch for which learningRate was tuned",
        unit: "images", in: .within(1...1_000_000_000)),
      Setting(
        "momentum", \.momentum, "Momentum (SGD and both forms of RMSProp)", in: .within(0..<1)),
      Setting(
        "dampening", \.dampening,
        "SGD: how much of the gradient is left out of the momentum buffer", in: .within(0...1)),
      Setting(
        "nesterov", \.nesterov,
        "SGD: Nesterov's look-ahead, which needs a momentum above 0 and no dampening"),
      Setting(
        "squareDecay", \.squareDecay, "RMSProp: decay of the mean square", in: .within(0..<1)),
      Setting(
        "epsilon", \.epsilon, "Added to the denominator to avoid division by zero",
        absent: "0.001 for rmspropTensorFlow, else 1e-8", in: .above(0, upTo: 1e6)),
      Setting("beta1", \.beta1, "AdamW: decay of the mean gradient", in: .within(0..<1)),
      Setting("beta2", \.beta2, "AdamW: decay of the mean square", in: .within(0..<1)),
      Setting(
        "weightDecay", \.weightDecay,
        "Weight decay: added to the gradient (SGD, RMSProp), or decoupled (AdamW)",
        in: .within(0...1e6)),
      Setting(
        "decaysNormAndBias", \.decaysNormAndBias,
        "Whether weight decay also acts on batch norms and biases"),
      Setting(
        "clipNorm", \.clipNorm, "Scales all gradients down to this L2 norm where it is exceeded",
        absent: "no limit", in: .above(0, upTo: 1e30)),
      Setting(
        "clipValue", \.clipValue, "Clamps each gradient value to ± this", absent: "no limit",
        in: .above(0, upTo: 1e30)),
      Setting(
        "learningRateScale", \.learningRateScale,
        "Factors of the learning rate, 0…1000, by patterns of names; the first that matches counts"),
      Setting(
        "layerDecay", \.layerDecay,
        "Factor of the learning rate from each block to the one before it; the head has the whole rate",
        in: .above(0, upTo: 1)),
    ]
  }

  /// Checks every setting; `path` names the optimizer in errors.
  public func validate(path: String = "optimizer") throws(ConfigurationError) {
    try checkSettings(path: path)
    try ConfigurationError.require(
      !nesterov || (momentum > 0 && dampening == 0), "\(path).nesterov", nesterov,
      "needs a momentum above 0 and no dampening")
    for (index, scale) in learningRateScale.enumerated() {
      try ConfigurationError.require(
        "\(path).learningRateScale[\(index)].factor", scale.factor, in: 0...1000)
    }
  }
}

extension OptimizerConfiguration.Kind: ChosenSetting {
  package var meaning: String {
    switch self {
    case .sgd: "stochastic gradient descent with momentum"
    case .rmspropTensorFlow:
      "RMSProp as TensorFlow 1 has it and as the paper's sources use it: epsilon inside the root"
    case .rmsprop: "RMSProp as PyTorch has it"
    case .adamW: "Adam with decoupled weight decay"
    }
  }
}

extension BaseRate.Scaling: ChosenSetting {
  package var meaning: String {
    switch self {
    case .none: "the given rate"
    case .linear: "proportional to the batch"
    case .squareRoot: "proportional to the root of the batch, common with AdamW"
    }
  }
}

/// The factor of the learning rate of some parameters.
public struct LearningRateScale: Codable, Hashable, Sendable {
  /// A pattern of names, as in `model.freeze`.
  public var parameters: String
  /// The factor of the learning rate, 0…1000; 0 lets them rest.
  public var factor: Double

  /// A factor for the parameters that a pattern matches.
  public init(_ parameters: String, _ factor: Double) {
    self.parameters = parameters
    self.factor = factor
  }

  private enum CodingKeys: String, CodingKey { case parameters, factor }
}

extension LearningRateScale: SettingElement {
  package static var listKind: SettingKind { .other("list of {parameters, factor}") }
  package var elementText: String { "{parameters: \(parameters), factor: \(factor.settingText)}" }
}
