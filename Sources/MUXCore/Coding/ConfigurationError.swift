// SPDX-License-Identifier: Apache-2.0

/// A setting whose value makes no sense, alone or together with another.
public struct ConfigurationError: Hashable, Sendable, DescribedError {
  /// The dotted path of the setting, such as `optimizer.momentum`.
  public var setting: String
  /// The value found, as text.
  public var value: String
  /// What is allowed.
  public var expected: String

  /// Makes the error for one setting.
  public init(setting: String, value: String, expected: String) {
    self.setting = setting
    self.value = value
    self.expected = expected
  }

  /// Setting, value, and what is allowed, in one line.
  public var description: String { "\(setting) is \(value): \(expected)" }
}

extension ConfigurationError {
  /// Throws for `setting` unless `condition` holds.
  package static func require(
    _ condition: Bool, _ setting: String, _ value: some CustomStringConvertible,
    _ expected: String
  ) throws(ConfigurationError) {
    if !condition {
      throw ConfigurationError(setting: setting, value: value.description, expected: expected)
    }
  }

  /// Throws for `setting` unless `value` lies in `range`.
  package static func require<Value: Comparable & CustomStringConvertible>(
    _ setting: String, _ value: Value, in range: ClosedRange<Value>
  ) throws(ConfigurationError) {
    try require(
      range.contains(value), setting, value,
      "must lie in \(range.lowerBound)…\(range.upperBound)")
  }
}
