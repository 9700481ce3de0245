// SPDX-License-Identifier: Apache-2.0

/// One setting of a configuration: its key in files, the property that holds it, which values it may
/// have, and what it means.
///
/// A configuration has one table of these (``SettingGroup``). Files are read by it, values are checked
/// by it, and `muxnet settings` prints it, so that the three cannot differ.
package struct Setting<Owner: Sendable>: Sendable {
  /// The key in files.
  package let key: String
  let read: @Sendable (inout Owner, KeyedDecodingContainer<SettingKey>) throws -> Void
  let check: @Sendable (Owner, String) throws(ConfigurationError) -> Void
  /// The setting, and those below it; the value is that of the defaults.
  let describe: @Sendable (Owner, String) -> [SettingDescription]

  /// A setting that always has a value.
  package init<Value: SettingValue>(
    _ key: String, _ property: any WritableKeyPath<Owner, Value> & Sendable, _ meaning: String,
    unit: String? = nil, in rule: SettingRule<Value>? = nil
  ) {
    self.key = key
    read = { owner, container in
      try container.update(&owner[keyPath: property], SettingKey(key))
    }
    check = { (owner, path) throws(ConfigurationError) in
      try rule?.require(owner[keyPath: property], path)
    }
    describe = { owner, path in
      [
        SettingDescription(
          Value.self, path, meaning, value: owner[keyPath: property].settingText, absence: nil,
          allowed: rule?.allowed, unit: unit)
      ]
    }
  }

  /// A setting that may have no value; `absence` says what that means.
  package init<Value: SettingValue>(
    _ key: String, _ property: any WritableKeyPath<Owner, Value?> & Sendable, _ meaning: String,
    absent absence: String, unit: String? = nil, in rule: SettingRule<Value>? = nil
  ) {
    self.key = key
    read = { owner, container in
      try container.update(&owner[keyPath: property], SettingKey(key))
    }
    check = { (owner, path) throws(ConfigurationError) in
      if let value = owner[keyPath: property] { try rule?.require(value, path) }
    }
    describe = { owner, path in
      [
        SettingDescription(
          Value.self, path, meaning, value: owner[keyPath: property]?.settingText,
          absence: absence, allowed: rule?.allowed, unit: unit)
      ]
    }
  }

  /// A group of settings.
  package init<Value: SettingGroup>(
    _ key: String, _ property: any WritableKeyPath<Owner, Value> & Sendable, group meaning: String
  ) {
    self.key = key
    read = { owner, container in
      try container.update(&owner[keyPath: property], SettingKey(key))
    }
    check = { (owner, path) throws(ConfigurationError) in
      try owner[keyPath: property].validate(path: path)
    }
    describe = { owner, path in
      [SettingDescription(key: path, meaning: meaning, type: SettingDescription.group)]
        + owner[keyPath: property].settingDescriptions(path: path)
    }
  }

  /// A setting that is read and described in a way of its own.
  package init<Value: Decodable & SendableMetatype>(
    _ key: String, _ property: any WritableKeyPath<Owner, Value> & Sendable,
    describe: @escaping @Sendable (Value, String) -> [SettingDescription]
  ) {
    self.key = key
    read = { owner, container in
      try container.update(&owner[keyPath: property], SettingKey(key))
    }
    check = { (_, _) throws(ConfigurationError) in }
    self.describe = { describe($0[keyPath: property], $1) }
  }
}

/// A configuration of which each setting is in a table.
package protocol SettingGroup: Codable, Sendable {
  /// The defaults.
  init()
  /// The settings, in the order in which they are shown.
  static var settings: [Setting<Self>] { get }
  /// Checks every setting, alone and together with others; `path` is what errors call the group.
  func validate(path: String) throws(ConfigurationError)
}

extension SettingGroup {
  /// Reads the settings that are there; the others keep their defaults.
  package init(settingsFrom decoder: any Decoder) throws {
    self.init()
    let container = try decoder.container(keyedBy: SettingKey.self)
    for setting in Self.settings { try setting.read(&self, container) }
  }

  /// Checks each setting alone, and each group.
  package func checkSettings(path: String = "") throws(ConfigurationError) {
    for setting in Self.settings {
      try setting.check(self, path.isEmpty ? setting.key : "\(path).\(setting.key)")
    }
  }

  /// Nothing but each setting alone.
  package func validate(path: String) throws(ConfigurationError) {
    try checkSettings(path: path)
  }

  /// What there is to say of each setting, with these values as defaults.
  package func settingDescriptions(path: String = "") -> [SettingDescription] {
    Self.settings.flatMap {
      $0.describe(self, path.isEmpty ? $0.key : "\(path).\($0.key)")
    }
  }
}

/// The key of a setting in a file.
package struct SettingKey: CodingKey {
  package let stringValue: String
  package var intValue: Int? { nil }

  package init(_ key: String) { stringValue = key }
  package init?(stringValue: String) { self.stringValue = stringValue }
  package init?(intValue: Int) { nil }
}

extension SettingRule where Value: SettingValue {
  func require(_ value: Value, _ setting: String) throws(ConfigurationError) {
    // The text of files, but for numbers, which say in errors that they are not whole.
    let text = (value as? any CustomStringConvertible)?.description ?? value.settingText
    try ConfigurationError.require(
      allows(value), setting, text.isEmpty || text == "[]" ? "empty" : text.printable, expected)
  }
}

extension SettingDescription {
  init<Value: SettingValue>(
    _ type: Value.Type, _ key: String, _ meaning: String, value: String?, absence: String?,
    allowed: String?, unit: String?
  ) {
    var choices: [SettingChoice]?
    if case .choice(let words) = Value.settingKind { choices = words }
    self.init(
      key: key, meaning: meaning, type: Value.settingKind.name, defaultValue: value,
      absence: absence, allowed: allowed, choices: choices, unit: unit)
  }
}
