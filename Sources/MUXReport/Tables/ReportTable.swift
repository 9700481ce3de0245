// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXCore

/// A table whose numbers know where they come from.
public struct ReportTable: Sendable, Hashable {
  /// A column.
  public struct Column: Sendable, Hashable {
    /// The name in CSV and JSON.
    public var key: String
    /// The name in text.
    public var title: String
    /// Whether it holds numbers, which stand on the right.
    public var isNumeric: Bool

    /// A column.
    public init(_ key: String, _ title: String, isNumeric: Bool = true) {
      self.key = key
      self.title = title
      self.isNumeric = isNumeric
    }
  }

  /// The columns, from left to right.
  public var columns: [Column]
  /// The rows, each with a value for every column.
  public var rows: [[ReportValue]]

  /// A table.
  public init(columns: [Column], rows: [[ReportValue]] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// The value of a row in the column of a key.
  public func value(_ row: Int, _ key: String) -> ReportValue? {
    columns.firstIndex { $0.key == key }.map { rows[row][$0] }
  }

  /// What the marks mean, for those that occur, with the commands of measured values.
  public var legend: [String] {
    let sources = rows.flatMap { $0.compactMap(\.source) }
    var lines: [String] = []
    if sources.contains(.computed) { lines.append("ᶜ computed here when asked for") }
    let commands = Self.unique(sources.compactMap(\.command))
    if !commands.isEmpty {
      lines.append("ʳ measured by a run before: " + commands.joined(separator: "; "))
    }
    let places = Self.unique(sources.compactMap(\.place))
    if !places.isEmpty {
      lines.append("ᵖ quoted from the paper, " + places.joined(separator: " and "))
    }
    return lines
  }

  private static func unique(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }

  /// The table in Markdown; numbers are aligned right.
  public var markdown: String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let head = [
      line(columns.map(\.title)),
      "| " + columns.map { $0.isNumeric ? "---:" : "---" }.joined(separator: " | ") + " |",
    ]
    let body = rows.map { row in line(row.map { $0.text + ($0.source?.mark ?? "") }) }
    return (head + body).joined(separator: "\n")
  }

  /// The table as CSV: full numbers, and a column `…_source` beside each column that has sources.
  public var csv: String {
    let withSource = columns.indices.filter { column in
      rows.contains { $0[column].source != nil }
    }
    let header = columns.indices.flatMap { column in
      [columns[column].key]
        + (withSource.contains(column) ? ["\(columns[column].key)_source"] : [])
    }
    let body = rows.map { row in
      columns.indices.flatMap { column -> [String] in
        let value = row[column]
        return [Self.plain(value)]
          + (withSource.contains(column) ? [value.source?.name ?? ""] : [])
      }
    }
    return CSVRow.text([header] + body)
  }

  private static func plain(_ value: ReportValue) -> String {
    if let number = value.number {
      return number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    }
    return value.text == ReportValue.none.text || value.source == .notRun ? "" : value.text
  }

  /// The rows as JSON values: names as text, numbers as objects with `value` and `source`.
  package var jsonRows: [[String: Any]] {
    rows.map { row in
      var object: [String: Any] = [:]
      for (column, value) in zip(columns, row) {
        guard let source = value.source else {
          if value != .none { object[column.key] = value.number ?? value.text }
          continue
        }
        var cell: [String: Any] = ["source": source.name]
        if let number = value.number { cell["value"] = number }
        if let origin = source.origin { cell["origin"] = origin }
        object[column.key] = cell
      }
      return object
    }
  }

  /// The table in HTML.
  public var html: String {
    func escaped(_ text: String) -> String { SVGElement.escaped(text) }
    let head = columns.map {
      "<th scope=\"col\"\($0.isNumeric ? " class=\"n\"" : "")>\(escaped($0.title))</th>"
    }
    let body = rows.map { row in
      let cells = zip(columns, row).map { column, value in
        let classes = [
          column.isNumeric ? "n" : "", value.source.map { $0.name.replacing(" ", with: "-") } ?? "",
        ].filter { !$0.isEmpty }
        let title = value.source?.origin.map { " title=\"\(escaped($0))\"" } ?? ""
        let attribute = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
        let mark = value.source.map { $0.mark.isEmpty ? "" : "<sup>\(Self.letter($0))</sup>" } ?? ""
        return "<td\(attribute)\(title)>\(escaped(value.text))\(mark)</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return "<table><thead><tr>\(head.joined())</tr></thead>\n<tbody>"
      + body.joined(separator: "\n") + "</tbody></table>"
  }

  private static func letter(_ source: ValueSource) -> String {
    switch source {
    case .computed: "c"
    case .measured: "r"
    case .quoted: "p"
    case .notRun: ""
    }
  }
}

extension ValueSource {
  fileprivate var command: String? {
    if case .measured(let command) = self { command } else { nil }
  }

  fileprivate var place: String? {
    if case .quoted(let place) = self { place } else { nil }
  }
}
