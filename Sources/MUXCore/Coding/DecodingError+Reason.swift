// SPDX-License-Identifier: Apache-2.0

extension DecodingError {
  /// What is wrong and where, in one line, to stand after the name of a file.
  package var reason: String {
    let context: Context
    switch self {
    case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
      context = found
    case .keyNotFound(let key, let found):
      let place = found.codingPath.map(\.stringValue).joined(separator: ".")
      return "the key '\(key.stringValue)' is missing" + (place.isEmpty ? "" : " in '\(place)'")
    @unknown default: return Self.line(self)
    }
    let inner =
      context.underlyingError.map(Self.line) ?? mismatchOfYAML ?? context.debugDescription
    let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
      .joined(separator: ".")
    return place.isEmpty ? inner : "'\(place)': \(inner)"
  }

  /// What YAML's reader calls by the names of its own types, in words.
  private var mismatchOfYAML: String? {
    guard case .typeMismatch(let wanted, _) = self else { return nil }
    return switch "\(wanted)" {
    case "Mapping": "keys with values are expected"
    case "Sequence": "a list is expected"
    case "Scalar": "a single value is expected"
    default: nil
    }
  }

  /// The error that a reader of another format had, such as YAML's; nil where there was none.
  package var underlyingError: (any Error)? {
    if case .dataCorrupted(let context) = self { context.underlyingError } else { nil }
  }

  private static func line(_ error: any Error) -> String {
    "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
