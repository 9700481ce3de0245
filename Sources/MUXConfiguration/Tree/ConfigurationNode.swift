// SPDX-License-Identifier: Apache-2.0

/// A value of a configuration file before anybody knows its type.
///
/// Scalars keep their text: what `no` or `012` means is decided by the type of the setting, not
/// guessed from the letters.
indirect enum ConfigurationNode: Sendable, Hashable {
  /// A text, and how it was written.
  case scalar(String, Style, ConfigurationSource)
  case list([ConfigurationNode], ConfigurationSource)
  case mapping([String: ConfigurationNode], ConfigurationSource)

  /// How a text was written.
  enum Style: Sendable, Hashable {
    /// In YAML without quotes, where some words mean that there is no value.
    case plain
    /// In YAML in quotes: always a text.
    case quoted
    /// As the value of an option: a number or a text, and never no value.
    case given
  }

  var source: ConfigurationSource {
    switch self {
    case .scalar(_, _, let source), .list(_, let source), .mapping(_, let source): source
    }
  }

  var isNull: Bool {
    if case .scalar(let text, .plain, _) = self { ["", "~", "null"].contains(text) } else { false }
  }

  /// The value in words, for messages.
  var summary: String {
    switch self {
    case .scalar(let text, _, _): isNull ? "nothing" : "“\(text)”"
    case .list(let items, _): "a list of \(items.count)"
    case .mapping: "a group of settings"
    }
  }

  /// This value with another laid over it: groups merge, everything else is replaced.
  func overlaid(with upper: ConfigurationNode) -> ConfigurationNode {
    guard case .mapping(let below, _) = self, case .mapping(let above, let source) = upper else {
      return upper
    }
    return .mapping(below.merging(above) { $0.overlaid(with: $1) }, source)
  }

  /// What has no members, by dotted paths in their order.
  func leaves(path: String) -> [(path: String, node: ConfigurationNode)] {
    guard case .mapping(let members, _) = self, !members.isEmpty || path.isEmpty else {
      return [(path, self)]
    }
    return members.sorted { $0.key < $1.key }.flatMap { key, node in
      node.leaves(path: path.isEmpty ? key : "\(path).\(key)")
    }
  }

  /// The value on one line.
  var text: String {
    switch self {
    case .scalar(let text, _, _): isNull ? "none" : text
    case .list(let items, _): "[\(items.map(\.text).joined(separator: ", "))]"
    case .mapping(let members, _):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\($0): \($1.text)" }.joined(separator: ", ")
        + "}"
    }
  }
}
