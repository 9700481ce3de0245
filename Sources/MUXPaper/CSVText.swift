// SPDX-License-Identifier: Apache-2.0

/// Comma-separated values with a header (RFC 4180: fields may be quoted, quotes doubled).
struct CSVText {
  /// The names of the columns.
  let header: [String]
  /// The rows, each with a field for every column, and the line in the text where it starts.
  let rows: [(line: Int, fields: [String])]

  /// Reads a text; empty lines are skipped.
  ///
  /// - Throws: ``ReproductionError/results(path:line:reason:)``.
  init(_ text: String, path: String) throws(ReproductionError) {
    let lines = try Self.parse(text, path: path)
    guard let first = lines.first else {
      throw .results(path: path, line: 1, reason: "the file is empty; a header is needed")
    }
    header = first.fields
    rows = Array(lines.dropFirst())
    for row in rows where row.fields.count != header.count {
      throw .results(
        path: path, line: row.line,
        reason: "\(row.fields.count) fields, but the header has \(header.count)")
    }
  }

  /// The rows as dictionaries by column.
  var records: [(line: Int, values: [String: String])] {
    rows.map { row in
      (
        row.line,
        Dictionary(zip(header, row.fields), uniquingKeysWith: { first, _ in first })
      )
    }
  }

  private static func parse(
    _ text: String, path: String
  ) throws(ReproductionError) -> [(line: Int, fields: [String])] {
    var result: [(line: Int, fields: [String])] = []
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var line = 1
    var start = 1
    var previous: Character?
    for character in text {
      if isQuoted {
        if character == "\"" { isQuoted = false } else { field.append(character) }
      } else if character == "\"" {
        // A quote right after a closing one stands for itself.
        if previous == "\"" { field.append("\"") }
        isQuoted = true
      } else if character == "," {
        fields.append(field)
        field = ""
      } else if character.isNewline {
        if !fields.isEmpty || !field.isEmpty { result.append((start, fields + [field])) }
        (fields, field) = ([], "")
        start = line + 1
      } else {
        field.append(character)
      }
      if character.isNewline { line += 1 }
      previous = character
    }
    if isQuoted {
      throw .results(path: path, line: start, reason: "a quotation mark is not closed")
    }
    if !fields.isEmpty || !field.isEmpty { result.append((start, fields + [field])) }
    return result
  }
}
