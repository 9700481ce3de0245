// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Where a setting came from.
package enum ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
  /// A file or recipe, by path or name.
  case file(String)
  /// An environment variable, by name.
  case environment(String)
  /// An option of the command line, as the user typed it.
  case option(String)

  /// The source as it appears at the front of messages.
  package var description: String {
    switch self {
    case .file(let path): path
    case .environment(let name): "environment variable \(name)"
    case .option(let text): text
    }
  }
}

/// What is wrong with settings in a file, the environment or on the command line.
package struct ConfigurationInputError: Sendable, Hashable, DescribedError {
  /// Kinds of mistakes; those with several candidates name the nearest.
  package enum Reason: Sendable, Hashable {
    /// The file could not be read, or its text is not YAML or JSON.
    case unreadable(String)
    /// There is no such setting; the nearest names that there are, and all of the group.
    case unknownKey(nearest: [String], known: [String])
    /// The value is of another type, or not among the allowed ones.
    case value(expected: String, found: String)
    /// The setting is required and absent.
    case missing
  }

  /// Where the setting came from; nil for one that came from nowhere.
  package let source: ConfigurationSource?
  /// The dotted path of the setting; empty for the whole input.
  package let key: String
  /// The mistake, which decides the text after the place.
  package let reason: Reason

  init(_ source: ConfigurationSource?, _ key: String, _ reason: Reason) {
    self.source = source
    self.key = key
    self.reason = reason
  }

  /// What is wrong and where, in one line.
  package var description: String {
    let place = source.map { "\($0): " } ?? ""
    switch reason {
    case .unreadable(let what): return place + what
    case .unknownKey(let nearest, let known):
      let hint =
        nearest.isEmpty
        ? "; there are \(known.joined(separator: ", "))"
        : "; did you mean \(nearest.map { "“\($0)”" }.joined(separator: ", "))?"
      return "\(place)unknown key “\(key)”\(hint)"
    case .value(let expected, let found):
      return
        "\(place)\(key.isEmpty ? "" : "“\(key)” is wrong: ")\(expected) expected, found \(found)"
    case .missing: return "\(place)“\(key)” is missing"
    }
  }
}
