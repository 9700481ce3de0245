// SPDX-License-Identifier: Apache-2.0
import MUXTasks

/// A table of text in columns that line up.
struct TextTable {
  /// How a column's cells stand.
  enum Alignment { case left, right }

  private let header: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ columns: [(String, Alignment)]) {
    header = columns.map(\.0)
    alignments = columns.map(\.1)
  }

  mutating func append(_ row: [String]) { rows.append(row) }

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let lines = all.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .left ? row[column] + padding : padding + row[column]
      }
      var line = cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
    return lines.joined(separator: "\n")
  }
}

extension TextTable {
  /// The scores of a task in rows and columns.
  init(_ table: ScoreTable) {
    self.init(
      [(table.subject.uppercased(), .left)]
        + table.columns.map { ($0.label.uppercased(), .right) })
    for row in table.rows {
      append([row.name] + zip(table.columns, row.values).map { $0.text($1) })
    }
  }
}
