// SPDX-License-Identifier: Apache-2.0
package import MUXCore

extension MultiLabel: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting("loss", \.loss, "The loss to minimise"),
      Setting(
        "positiveWeights", \.positiveWeights,
        "Factor of each class's positive images in the loss binaryCrossEntropy"),
      Setting(
        "threshold", \.threshold, "The probability from which a class counts as present",
        in: .within(0...1)),
      Setting(
        "chooseThresholds", \.choosesThresholds,
        "Whether each class gets the threshold with the greatest F1 on the validation images"),
      Setting(
        "thresholds", \.thresholds, "The thresholds of the classes; they override threshold",
        absent: "threshold for all",
        in: SettingRule("numbers in 0…1", expected: "thresholds must lie in 0…1") {
          $0.allSatisfy { (0...1).contains($0) }
        }),
    ]
  }
}

extension MultiLabel.Loss: ChosenSetting {
  package var meaning: String {
    switch self {
    case .binaryCrossEntropy: "binary cross entropy, the mean over images and classes"
    case .squaredError: "(σ(x) − y)², the mean over images and classes"
    }
  }
}

extension MultiLabel.PositiveWeights: SettingValue {
  package static var settingKind: SettingKind {
    .other("none, balanced, or a list of one number above 0 for each class")
  }
  package var settingText: String {
    switch self {
    case .none: "none"
    case .balanced: "balanced"
    case .given(let weights): weights.settingText
    }
  }
}
