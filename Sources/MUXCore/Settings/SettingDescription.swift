// SPDX-License-Identifier: Apache-2.0

/// A setting as people read about it.
package struct SettingDescription: Hashable, Sendable, Encodable {
  /// The dotted path.
  package let key: String
  package let meaning: String
  /// What values look like; `group` for a group of settings.
  package let type: String
  /// The value without a file; nil where there is none, and for groups.
  package let defaultValue: String?
  /// What it means that there is no value.
  package let absence: String?
  /// The allowed values, where not all of the type are.
  package let allowed: String?
  /// The words to choose from.
  package let choices: [SettingChoice]?
  /// What numbers count.
  package let unit: String?

  package init(
    key: String, meaning: String, type: String, defaultValue: String? = nil,
    absence: String? = nil, allowed: String? = nil, choices: [SettingChoice]? = nil,
    unit: String? = nil
  ) {
    self.key = key
    self.meaning = meaning
    self.type = type
    self.defaultValue = defaultValue
    self.absence = absence
    self.allowed = allowed
    self.choices = choices
    self.unit = unit
  }

  private enum CodingKeys: String, CodingKey {
    case key, meaning, type
    case defaultValue = "default"
    case absence, allowed, choices, unit
  }

  /// Whether it is a group of settings.
  package var isGroup: Bool { type == SettingDescription.group }

  /// The type of groups.
  package static let group = "group"
}
