// SPDX-License-Identifier: Apache-2.0

/// What the value of a setting looks like in a file.
package enum SettingKind: Hashable, Sendable {
  case wholeNumber, number, flag, text, numbers
  /// One of some words, each with its meaning.
  case choice([SettingChoice])
  /// Something else, in words.
  case other(String)

  /// The kind in words.
  package var name: String {
    switch self {
    case .wholeNumber: "whole number"
    case .number: "number"
    case .flag: "true or false"
    case .text: "text"
    case .numbers: "list of numbers"
    case .choice: "one of"
    case .other(let text): text
    }
  }
}

/// One of the words that a setting may have.
package struct SettingChoice: Hashable, Sendable, Codable {
  /// The word.
  package let name: String
  package let meaning: String

  package init(name: String, meaning: String) {
    self.name = name
    self.meaning = meaning
  }
}

/// A type that settings have.
package protocol SettingValue: Decodable, Sendable {
  /// What values look like.
  static var settingKind: SettingKind { get }
  /// The value as files have it.
  var settingText: String { get }
}

/// A setting that is one of some words. A new word does not compile until it has a meaning.
package protocol ChosenSetting: SettingValue, CaseIterable, RawRepresentable
where RawValue == String {
  /// What the word means.
  var meaning: String { get }
}

extension ChosenSetting {
  package static var settingKind: SettingKind {
    .choice(allCases.map { SettingChoice(name: $0.rawValue, meaning: $0.meaning) })
  }
  package var settingText: String { rawValue }
}

extension Int: SettingValue {
  package static var settingKind: SettingKind { .wholeNumber }
  package var settingText: String { "\(self)" }
}

extension UInt64: SettingValue {
  package static var settingKind: SettingKind { .wholeNumber }
  package var settingText: String { "\(self)" }
}

extension Double: SettingValue {
  package static var settingKind: SettingKind { .number }
  /// Without the decimal of a whole number.
  package var settingText: String {
    let text = "\(self)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension Bool: SettingValue {
  package static var settingKind: SettingKind { .flag }
  package var settingText: String { "\(self)" }
}

extension String: SettingValue {
  package static var settingKind: SettingKind { .text }
  package var settingText: String { self }
}

/// A value of which a setting may have a list.
package protocol SettingElement: Decodable, Sendable {
  /// What a list of them looks like.
  static var listKind: SettingKind { get }
  /// The value as it stands in a list in a file.
  var elementText: String { get }
}

extension Double: SettingElement {
  package static var listKind: SettingKind { .numbers }
  package var elementText: String { settingText }
}

extension Int: SettingElement {
  package static var listKind: SettingKind { .other("list of whole numbers") }
  package var elementText: String { settingText }
}

extension String: SettingElement {
  package static var listKind: SettingKind { .other("list of texts") }
  package var elementText: String { self }
}

extension Array: SettingValue where Element: SettingElement {
  package static var settingKind: SettingKind { Element.listKind }
  package var settingText: String { "[" + map(\.elementText).joined(separator: ", ") + "]" }
}
