// SPDX-License-Identifier: Apache-2.0

/// Which values a setting may have: what is checked, and the words for it.
package struct SettingRule<Value: Sendable>: Sendable {
  /// The allowed values, for a table: `1…1000`.
  package let allowed: String
  /// What an error says of them.
  package let expected: String
  package let allows: @Sendable (Value) -> Bool

  /// A rule of its own kind.
  package init(
    _ allowed: String, expected: String? = nil, allows: @escaping @Sendable (Value) -> Bool
  ) {
    self.allowed = allowed
    self.expected = expected ?? "must be \(allowed)"
    self.allows = allows
  }
}

extension SettingRule where Value: Comparable & SettingValue {
  /// Both ends are allowed.
  package static func within(_ range: ClosedRange<Value>) -> Self {
    let (low, high) = (range.lowerBound.settingText, range.upperBound.settingText)
    return Self("\(low)…\(high)", expected: "must lie in \(low)…\(high)") { range.contains($0) }
  }

  /// The upper end is not allowed.
  package static func within(_ range: Range<Value>) -> Self {
    let (low, high) = (range.lowerBound.settingText, range.upperBound.settingText)
    return Self("≥ \(low), < \(high)", expected: "must be at least \(low) and less than \(high)") {
      range.contains($0)
    }
  }

  /// The lower end is not allowed.
  package static func above(_ low: Value, upTo high: Value) -> Self {
    let (lowText, highText) = (low.settingText, high.settingText)
    return Self(
      "> \(lowText), ≤ \(highText)",
      expected: "must be greater than \(lowText) and at most \(highText)"
    ) { $0 > low && $0 <= high }
  }

  /// No end is allowed.
  package static func between(_ low: Value, _ high: Value) -> Self {
    let (lowText, highText) = (low.settingText, high.settingText)
    return Self(
      "> \(lowText), < \(highText)", expected: "must lie between \(lowText) and \(highText)"
    ) { $0 > low && $0 < high }
  }
}

extension SettingRule where Value == String {
  /// Any text but the empty one.
  package static func named(_ example: String) -> Self {
    Self("not empty", expected: "name one, such as \(example)") { !$0.isEmpty }
  }
}
