// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// How the loss weighs classes and images.
public struct ObjectiveConfiguration: Codable, Hashable, Sendable {
  /// The weight of each class in the loss: `none`, `auto`, or a map of weights by class, such as
  /// `{snake: 4}`, where classes that are not named weigh 1. `auto` weighs a class by the inverse of how
  /// often it comes up, 1 on average over the images. `none` by default. Where an image has several
  /// labels, the weight is that of the class's part in the loss, be the class there or not.
  public var classWeights: ClassWeights = .none
  /// The exponent γ of the focal loss (Lin et al. 2017), 0…10: the loss of a class is multiplied by
  /// (1 − p)^γ, where p is the probability given to the truth, so that what is known already counts
  /// less. 0, the default, is the plain loss; 2 is usual.
  public var focal: Double = 0

  /// The defaults: all classes and images weigh the same.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension ObjectiveConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting(
        "classWeights", \.classWeights,
        "The weight of each class in the loss; auto is the inverse of the class frequency"),
      Setting(
        "focal", \.focal,
        "Exponent of the focal loss, which reduces the weight of easy images; 2 is usual",
        in: .within(0...10)),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "objective") throws(ConfigurationError) {
    try checkSettings(path: path)
    guard case .given(let weights) = classWeights else { return }
    for (name, weight) in weights.sorted(by: { $0.key < $1.key }) {
      try ConfigurationError.require("\(path).classWeights.\(name.printable)", weight, in: 0...1e6)
    }
  }
}

/// The weight of each class in a loss.
public enum ClassWeights: Hashable, Sendable {
  /// All weigh the same.
  case none
  /// The inverse of how often a class comes up, 1 on average over the images.
  case automatic
  /// Weights by class name; others weigh 1.
  case given([String: Double])

  /// Whether they were given one by one.
  var isByHand: Bool { if case .given = self { true } else { false } }

  /// The weights in the order of the classes; nil where all are the same.
  ///
  /// - Parameters:
  ///   - classNames: The classes.
  ///   - counts: How often each comes up in an epoch.
  ///   - images: The images of an epoch.
  /// - Throws: `ConfigurationError` for a name that is none of the classes, or where all weigh nothing.
  func resolved(
    _ classNames: [String], counts: [Double], images: Int
  ) throws(ConfigurationError) -> [Double]? {
    switch self {
    case .none: return nil
    case .automatic:
      let present = Double(counts.count { $0 > 0 })
      return counts.map { $0 > 0 ? Double(images) / (present * $0) : 1 }
    case .given(let weights):
      for name in weights.keys.sorted() where !classNames.contains(name) {
        throw ConfigurationError(
          setting: "objective.classWeights", value: name.printable,
          expected: "the data has no such class"
            + NameDistance.hint(for: name, among: Array(classNames.prefix(50))))
      }
      let all = classNames.map { weights[$0] ?? 1 }
      try ConfigurationError.require(
        all.contains { $0 > 0 }, "objective.classWeights", "0",
        "at least one class must weigh more than nothing")
      return all
    }
  }
}

extension ClassWeights: Codable {
  /// Reads `none`, `auto` or a map.
  public init(from decoder: any Decoder) throws {
    if let word = try? decoder.singleValueContainer().decode(String.self) {
      switch word {
      case "none": self = .none
      case "auto": self = .automatic
      default:
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "none, auto, or a weight for each class by its name"))
      }
    } else {
      self = .given(try [String: Double](from: decoder))
    }
  }

  /// Writes `none`, `auto` or a map.
  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .none: try "none".encode(to: encoder)
    case .automatic: try "auto".encode(to: encoder)
    case .given(let weights): try weights.encode(to: encoder)
    }
  }
}

extension ClassWeights: SettingValue {
  package static var settingKind: SettingKind { .other("none, auto, or weights by class") }
  package var settingText: String {
    switch self {
    case .none: "none"
    case .automatic: "auto"
    case .given(let weights):
      "{"
        + weights.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.settingText)" }
        .joined(separator: ", ") + "}"
    }
  }
}
