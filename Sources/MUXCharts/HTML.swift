// SPDX-License-Identifier: Apache-2.0

/// Pieces of HTML pages that need nothing from elsewhere, readable on light and dark screens.
public enum HTML {
  /// Text as it may stand in a page.
  public static func escaped(_ text: String) -> String { SVGElement.escaped(text) }

  /// A whole page.
  ///
  /// - Parameters:
  ///   - title: The title, not escaped.
  ///   - head: More of the head, as HTML.
  ///   - attributes: Attributes of the body, each with its value not escaped.
  ///   - style: Rules of this page, after those of all pages.
  ///   - body: The body, as HTML.
  public static func page(
    title: String, head: String = "", attributes: KeyValuePairs<String, String> = [:],
    style: String = "", body: String
  ) -> String {
    let own = attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      \(head)
      <title>\(escaped(title))</title>
      <style>\(common)\(style)</style>
      </head>
      <body\(own)>
      \(body)
      </body>
      </html>

      """
  }

  /// A table; cells are HTML. Columns whose name begins with `#` hold numbers.
  public static func table(
    _ columns: [String], _ rows: [(identifier: String?, cells: [String])]
  ) -> String {
    table(
      titles: columns.map { name in
        name.hasPrefix("#") ? (escaped(String(name.dropFirst())), true) : (escaped(name), false)
      }, rows)
  }

  /// A table whose titles are HTML, each with whether its column holds numbers.
  public static func table(
    titles: [(html: String, isNumber: Bool)], _ rows: [(identifier: String?, cells: [String])]
  ) -> String {
    func mark(_ index: Int) -> String {
      index < titles.count && titles[index].isNumber ? " class=\"n\"" : ""
    }
    let head = titles.enumerated().map { "<th\(mark($0.offset))>\($0.element.html)</th>" }
    let body = rows.map { row in
      let cells = row.cells.enumerated().map { "<td\(mark($0.offset))>\($0.element)</td>" }
      return "<tr\(row.identifier.map { " id=\"\(escaped($0))\"" } ?? "")>\(cells.joined())</tr>"
    }
    return """
      <div class="wide"><table><thead><tr>\(head.joined())</tr></thead>
      <tbody>\(body.joined(separator: "\n"))</tbody></table></div>
      """
  }

  /// Names with values; values are HTML.
  public static func list(_ entries: [(String, String)]) -> String {
    "<dl>"
      + entries.map { "<dt>\(escaped($0.0))</dt><dd>\($0.1)</dd>" }.joined(separator: "\n")
      + "</dl>"
  }

  /// Colours for light and dark screens, text, tables, lists, charts side by side.
  private static let common = """
    :root{color-scheme:light dark;--ink:#1f2328;--paper:#fff;--line:#dfe3e8;--muted:#5a636d;\
    --wash:#f1f3f6;--link:#0969b8}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--paper:#14181d;--line:#333a43;\
    --muted:#a3acb6;--wash:#20262d;--link:#5eb1f7}}
    body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);\
    max-width:1150px;margin:1.5rem auto;padding:0 1rem}
    a{color:var(--link)}h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin-top:2rem}
    h1,dd{overflow-wrap:anywhere}td{overflow-wrap:break-word}
    .wide{overflow-x:auto}td code{display:block;max-height:6em;overflow:auto}svg{max-width:100%;height:auto;display:block}
    .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:12px;\
    align-items:start}
    .chart{border:1px solid var(--line);border-radius:6px;overflow:hidden;min-width:0}
    .chart.whole{margin-top:12px;overflow-x:auto}.chart.whole svg{min-width:680px}
    table{border-collapse:collapse;font-size:13px;margin-bottom:.8rem}th,td{padding:.25rem .6rem;\
    border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    th{white-space:nowrap}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    td:last-child{min-width:15rem}td code{font-size:12px}tr:target{background:var(--wash)}
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.8rem 0}
    dt{color:var(--muted)}dd{margin:0}
    pre{background:var(--wash);padding:.7rem;border-radius:6px;overflow-x:auto;font-size:12.5px;\
    white-space:pre-wrap;overflow-wrap:anywhere}
    .muted{color:var(--muted);font-size:13px}summary{cursor:pointer}
    nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin:.5rem 0}
    #tip{position:fixed;z-index:9;max-width:min(460px,90vw);background:var(--paper);color:var(--ink);\
    border:1px solid var(--muted);border-radius:6px;padding:.4rem .6rem;font-size:12.5px;\
    white-space:pre-line;overflow-wrap:anywhere;pointer-events:none;box-shadow:0 2px 8px #0004}
    """
}
