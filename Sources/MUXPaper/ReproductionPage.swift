// SPDX-License-Identifier: Apache-2.0
import MUXCharts

/// All exhibits on one HTML page that needs nothing from elsewhere.
struct ReproductionPage {
  let exhibits: [Exhibit]
  let machine: String

  var html: String {
    let contents = exhibits.map {
      "<li><a href=\"#\($0.name.rawValue)\">\($0.name.title)</a> \(escaped($0.caption))</li>"
    }
    let body = """
      <h1>MUXNet: the paper's tables and figures</h1>
      <p>After <cite>MUXConv: Information Multiplexing in Convolutional Neural Networks</cite> \
      (Lu, Deb, Boddeti; CVPR 2020). Each number says where it comes from: \
      <span class="computed">computed<sup>c</sup></span> when this page was made\
      \(machine.isEmpty ? "" : " on \(escaped(machine))"), \
      <span class="measured">measured<sup>r</sup></span> by a run before, \
      <span class="quoted">quoted<sup>p</sup></span> from the paper. Hover over a number for the \
      command or the place.</p>
      <ul>
      \(contents.joined(separator: "\n"))
      </ul>
      \(exhibits.map(section).joined(separator: "\n"))
      """
    return HTML.page(
      title: "MUXNet: the paper's tables and figures", style: Self.style, body: body)
  }

  private func section(_ exhibit: Exhibit) -> String {
    let remarks = exhibit.remarks.map { "<li>\(escaped($0))</li>" }.joined()
    let table = "<div class=\"wide\">\(exhibit.table.html)</div>"
    let numbers =
      exhibit.figure == nil
      ? table : "<details><summary>The numbers</summary>\(table)</details>"
    let picture =
      exhibit.figure.map { "<div class=\"wide\">\($0.picture.svg)</div>" } ?? ""
    return """
      <section id="\(exhibit.name.rawValue)">
      <h2>\(exhibit.name.title)</h2>
      <p>\(escaped(exhibit.caption))</p>
      \(picture)
      \(numbers)
      <ul class="remarks">\(remarks)</ul>
      </section>
      """
  }

  private func escaped(_ text: String) -> String { HTML.escaped(text) }

  private static let style = """
    :root{--c:#0969b8;--r:#0d8a63;--p:#9a4fb0}
    @media(prefers-color-scheme:dark){:root{--c:#5eb1f7;--r:#3ccf9e;--p:#d296e4}}
    body{max-width:1200px}th,td{white-space:nowrap}
    th{vertical-align:bottom;white-space:normal;min-width:4.5rem}td:last-child{min-width:0}
    sup{font-size:.7em;margin-left:.1em}.computed sup{color:var(--c)}.measured sup{color:var(--r)}\
    .quoted{font-style:italic}.quoted sup{color:var(--p)}.not-run{color:var(--muted)}
    .remarks{color:var(--muted);font-size:13px}
    """
}
