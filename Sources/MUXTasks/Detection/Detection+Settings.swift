// SPDX-License-Identifier: Apache-2.0
package import MUXCore

extension Detection: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "priors", \.priors,
        "The default boxes: {imageSize, maps: [{size, step, minimum, maximum}]}",
        absent: "those that belong to the network's maps"),
      Setting(
        "matching", \.matching, "Training: where several objects have the same best default box"),
      Setting(
        "matchingOverlap", \.matchingOverlap,
        "Training: the least overlap of a default box with the object that it learns",
        in: .above(0, upTo: 1)),
      Setting(
        "negatives", \.negatives,
        "Training: negative default boxes for each positive one",
        in: .within(1...1_000_000)
      ),
      Setting(
        "learnsDifficult", \.learnsDifficult,
        "Training: whether objects that the data calls difficult are learned"),
      Setting(
        "threshold", \.threshold, "The least probability of a predicted box",
        in: .within(0...1)),
      Setting(
        "minimumScore", \.minimumScore,
        "Evaluation: boxes count if their class has a probability above this", in: .within(0...1)),
      Setting(
        "overlap", \.overlap,
        "Suppression: a box is dropped if it overlaps a better one of its class by more than this",
        in: .within(0...1)),
      Setting(
        "candidates", \.candidates, "The most candidates per class; the best are kept",
        unit: "boxes",
        in: .within(1...1_000_000)),
      Setting(
        "limit", \.limit, "The most boxes per image; the best are kept", unit: "boxes",
        in: .within(1...1_000_000)),
      Setting(
        "clipBoxes", \.clipsBoxes,
        "Whether boxes are cut off at the border of the image, after suppression"),
      Setting(
        "categoryIDs", \.categoryIDs, "The number of each class in COCO's results",
        absent: "those of the training images, or 1, 2, 3, …"),
    ]
  }
}

extension PriorMatching.Rule: ChosenSetting {
  package var meaning: String {
    switch self {
    case .lastWins: "the last object takes it; an earlier one may be left without any"
    case .bipartite: "the best pair of all is taken first, and no default box twice"
    }
  }
}

extension PriorLayout: SettingValue {
  package static var settingKind: SettingKind { .other("{imageSize, maps}") }
  package var settingText: String { "\(count) boxes on \(maps.count) maps" }
}
