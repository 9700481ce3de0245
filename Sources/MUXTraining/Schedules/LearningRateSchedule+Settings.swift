// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension LearningRateSchedule: SettingGroup {
  /// The defaults: a cosine without warm-up.
  public init() { self.init(shape: .cosine) }

  package static var settings: [Setting<Self>] {
    [
      Setting("shape", \.shape, "The form of the decay"),
      Setting("interval", \.interval, "How often the decay moves; the warm-up has its own"),
      // Shorter periods than a step of a long run: the count of them would mean nothing.
      Setting(
        "decayEpochs", \.decayEpochs, "Shape step: epochs between two decays", unit: "epochs",
        in: .within(1e-6...1e6)),
      Setting(
        "decayRate", \.decayRate, "Shapes step and multistep: the factor", in: .above(0, upTo: 1000)
      ),
      Setting(
        "milestones", \.milestones, "Shape multistep: the epochs at which it decays",
        unit: "epochs",
        in: SettingRule(
          "ascending numbers in 0…1000000", expected: "must ascend and lie in 0…1000000"
        ) {
          $0 == $0.sorted() && $0.allSatisfy { (0...1e6).contains($0) }
        }),
      Setting(
        "power", \.power, "Shape polynomial: the exponent; 1 is a straight line",
        in: .above(0, upTo: 1000)),
      Setting(
        "finalRate", \.finalRate, "Shapes cosine and polynomial: the rate at the end",
        in: .within(0...1e30)),
      Setting(
        "riseFraction", \.riseFraction, "Shape oneCycle: the share of the run in which it rises",
        in: .between(0, 1)),
      Setting(
        "startDivisor", \.startDivisor, "Shape oneCycle: base rate over the first rate",
        in: .within(1...1e12)),
      Setting(
        "endDivisor", \.endDivisor, "Shape oneCycle: first rate over the last rate",
        in: .within(1...1e12)),
      Setting("warmUp", \.warmUp, group: "The linear rise of the learning rate at the start"),
    ]
  }

  /// Checks every setting; `path` names the schedule in errors.
  public func validate(path: String = "schedule") throws(ConfigurationError) {
    try checkSettings(path: path)
    try ConfigurationError.require(
      shape != .multistep || !milestones.isEmpty, "\(path).milestones", "empty",
      "shape multistep needs the epochs at which to decay, such as [60, 80]")
  }
}

extension LearningRateSchedule.Shape: ChosenSetting {
  package var meaning: String {
    switch self {
    case .constant: "the base rate throughout"
    case .step: "times decayRate every decayEpochs"
    case .multistep: "times decayRate at each of milestones"
    case .cosine: "half a cosine from the base rate to finalRate"
    case .polynomial: "(1 − t)^power from the base rate to finalRate"
    case .oneCycle: "up from base/startDivisor, then down to that start over endDivisor"
    }
  }
}

extension LearningRateSchedule.Interval: ChosenSetting {
  package var meaning: String {
    switch self {
    case .step: "with every optimizer step"
    case .epoch: "once per epoch, at its start"
    }
  }
}

extension WarmUp: SettingGroup {
  /// The defaults: no warm-up.
  public init() { self.init(epochs: 0) }

  package static var settings: [Setting<Self>] {
    [
      Setting(
        "epochs", \.epochs, "Length; 0 means none, and at most the epochs of the run",
        unit: "epochs",
        in: .within(0...1e6)),
      Setting(
        "fraction", \.fraction,
        "Length as a share of the run; the longer of this and epochs counts",
        in: .within(0...0.9)),
      Setting("from", \.from, "The rate at the first step", in: .within(0...1e30)),
      Setting("interval", \.interval, "How often the rate moves in the warm-up"),
      Setting(
        "delaysDecay", \.delaysDecay,
        "Whether the decay starts counting at the warm-up's end, not at step 0 as in the paper"),
    ]
  }
}
