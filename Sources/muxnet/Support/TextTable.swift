// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXTasks

/// A table of text in columns that line up.
struct TextTable {
  /// How a column's cells stand.
  enum Alignment { case left, right }

  private let header: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  init(_ columns: [(String, Alignment)]) {
    header = columns.map(\.0.printable)
    alignments = columns.map(\.1)
  }

  /// Appends a row. Cells come with data and may hold anything: what would break a line or move the
  /// cursor is written as an escape, before widths are counted.
  mutating func append(_ row: [String]) { rows.append(row.map(\.printable)) }

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
