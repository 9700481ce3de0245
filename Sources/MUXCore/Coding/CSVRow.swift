// SPDX-License-Identifier: Apache-2.0

/// Lines of comma-separated values (RFC 4180).
package enum CSVRow {
  /// Lines, each with its end.
  package static func text(_ rows: [[String]]) -> String {
    rows.map { line($0) + "\n" }.joined()
  }

  /// One line without its end.
  package static func line(_ fields: [String]) -> String {
    fields.map(field).joined(separator: ",")
  }

  /// A field as it is written: in quotes where that is needed.
  private static func field(_ text: String) -> String {
    // A carriage return and the line feed after it are one character.
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
