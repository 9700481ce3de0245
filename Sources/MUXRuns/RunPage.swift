// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXCore
import MUXEvaluation
import MUXImages
import MUXTasks
import MUXVision

/// The page of one run, or of several beside each other: HTML that needs nothing from elsewhere.
enum RunPage {
  /// Nothing may be loaded from anywhere, whatever the texts of a data set contain; pictures are inside.
  private static let head =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    + "style-src 'unsafe-inline'; img-src data:\">"

  private static let style = """
    h2{margin-top:1.6rem}td:last-child{min-width:0}\
    .charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,350px),1fr))}\
    .examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,170px),1fr));gap:14px}\
    .examples.maps{grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr))}\
    figure{margin:0;min-width:0}figure div{display:flex;gap:6px}\
    figure img{max-width:100%;min-width:0;height:auto;border-radius:4px;border:1px solid var(--line)}\
    figure div img:nth-child(2){margin-left:0}figure div:has(img:nth-child(2)) img{max-width:calc(50% - 3px)}\
    figcaption{font-size:12.5px;overflow-wrap:anywhere}\
    .confusion td,.confusion th{padding:.15rem .4rem;text-align:right;\
    font-variant-numeric:tabular-nums}.confusion td:first-child,.confusion th:first-child{text-align:left;\
    position:sticky;left:0;background:var(--paper);max-width:9rem;overflow:hidden;text-overflow:ellipsis;\
    white-space:nowrap}.zero{color:var(--muted)}.differs td:nth-child(n+2){overflow-wrap:anywhere}
    """

  /// A page of these parts.
  static func page(_ title: String, _ parts: [String]) -> String {
    HTML.page(
      title: title, head: head, style: style,
      body: "<h1>\(HTML.escaped(title))</h1>\n"
        + parts.filter { !$0.isEmpty }.joined(separator: "\n")
        + "\n<p class=\"muted\">Made \(Date().formatted(.iso8601)) by muxnet.</p>")
  }

  /// A heading with what belongs to it; nothing where that is empty.
  static func section(_ title: String, _ content: String) -> String {
    content.isEmpty ? "" : "<h2>\(HTML.escaped(title))</h2>\n\(content)"
  }

  /// A paragraph of small letters.
  static func note(_ text: String) -> String { "<p class=\"muted\">\(HTML.escaped(text))</p>" }

  /// Charts side by side where there is room.
  static func charts(_ figures: [Figure]) -> String {
    guard !figures.isEmpty else { return "" }
    return "<div class=\"charts\">"
      + figures.map { "<div class=\"chart\">\($0.picture.svg)</div>" }.joined(separator: "\n")
      + "</div>"
  }

  static func table(_ table: ScoreTable) -> String {
    HTML.table(
      [table.subject]
        + table.columns.map {
          "#" + $0.label + ($0.unit.isEmpty ? "" : " (\($0.unit))")
        },
      table.rows.map { row in
        (
          nil,
          [HTML.escaped(row.name.printable)]
            + zip(table.columns, row.values).map { column, value in
              value.map { HTML.escaped(column.number($0)) } ?? "–"
            }
        )
      })
  }

  /// How often each class was taken for each: a matrix of few classes, else what happens most.
  static func confusion(_ table: ConfusionTable) -> String {
    let most = 30
    guard table.names.count <= most else {
      let shown = table.mistakes.prefix(40)
      return note(
        "The most frequent mistakes; \(table.names.count) classes are too many for a matrix.")
        + HTML.table(
          ["class", "taken for", "#images"],
          shown.map {
            (
              nil,
              [
                HTML.escaped(table.names[$0.label]), HTML.escaped(table.names[$0.prediction]),
                $0.count.grouped,
              ]
            )
          })
    }
    let head = table.names.indices.map {
      "<th title=\"\(HTML.escaped(table.names[$0]))\">\($0 + 1)</th>"
    }
    let rows = table.names.indices.map { row in
      let total = max(table.counts[row].reduce(0, +), 1)
      let cells = table.names.indices.map { column in
        let count = table.counts[row][column]
        guard count > 0 else { return "<td class=\"zero\">·</td>" }
        // Right ones in blue, mistakes in red, as strong as they are frequent.
        let colour = row == column ? "9,105,184" : "200,64,26"
        let strength = 0.12 + 0.5 * Double(count) / Double(total)
        let alpha = (100 * strength).rounded() / 100
        return "<td style=\"background:rgba(\(colour),\(alpha))\" title=\""
          + HTML.escaped("\(table.names[row]) taken for \(table.names[column])")
          + "\">\(count)</td>"
      }
      return "<tr><td>\(row + 1) \(HTML.escaped(table.names[row]))</td>\(cells.joined())</tr>"
    }
    return note("Rows: true classes; columns: what they were taken for, numbered as the rows are.")
      + "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th></th>\(head.joined())</tr></thead>"
      + "<tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
  }

  /// Images with what was said and what is true.
  static func examples(_ examples: [RunReport.Example]) throws -> String {
    guard !examples.isEmpty else { return "" }
    func image(_ image: Image, _ text: String) throws -> String {
      let bytes = Data(try image.pngData()).base64EncodedString()
      return
        "<img src=\"data:image/png;base64,\(bytes)\" width=\"\(image.width)\" height=\"\(image.height)\""
        + " alt=\"\(HTML.escaped(text))\">"
    }
    let hasMaps = examples.contains { $0.heat != nil }
    let figures = try examples.map { example in
      let judged = example.judged
      let pictures =
        try image(example.picture, judged.name.printable)
        + (example.heat.map { try image($0, "what mattered for the answer") } ?? "")
      return
        "<figure><div>\(pictures)</div><figcaption><b>\(HTML.escaped(judged.verdict.truth.printable))"
        + "</b> → \(HTML.escaped(judged.verdict.said.printable))<br><span class=\"muted\">"
        + "\(HTML.escaped(judged.name.printable)), \(Metric.loss.label)"
        + " \(Metric.loss.text(judged.verdict.loss))</span></figcaption></figure>"
    }
    return "<div class=\"examples\(hasMaps ? " maps" : "")\">"
      + figures.joined(separator: "\n") + "</div>"
  }
}
