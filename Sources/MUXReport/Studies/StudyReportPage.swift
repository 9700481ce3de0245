// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXSearch
public import MUXStudies

/// A study on one HTML page that needs nothing from elsewhere.
public struct StudyReportPage {
  private let view: StudyView
  private let counts: [TrialState: Int]
  private let commands: [String]

  /// The rows of the table at most; more are a matter for a file of all trials.
  static let mostRows = 200

  /// The page of a study.
  ///
  /// - Parameters:
  ///   - view: The study.
  ///   - counts: How many trials are in each state.
  ///   - commands: What to type to go on with the study; without any the page does not speak of it.
  public init(_ view: StudyView, counts: [TrialState: Int], commands: [String] = []) {
    self.view = view
    self.counts = counts
    self.commands = commands
  }

  /// The page.
  public var html: String {
    let charts = StudyCharts(view)
    let sections = StudySections(view, counts: counts)
    let finest = view.finest
    let shown = Array(finest.prefix(Self.mostRows))
    let rest =
      finest.count > shown.count
      ? "<p class=\"muted\">\(shown.count) of \(finest.count.grouped) networks of the front.</p>"
      : ""
    let ways =
      commands.isEmpty
      ? "" : "<h2>Go on</h2>\n<pre>\(HTML.escaped(commands.joined(separator: "\n")))</pre>"
    let body = """
      <h1>Study \(HTML.escaped(view.study.name))</h1>
      \(sections.summary)
      <p class="muted">Hover over a point for its network; a click on it goes to its row below. \
      Made \(Date().formatted(.iso8601)).</p>
      <main>
      \(sections.charts(charts.all))
      <h2>\(view.hasTargets ? "The best for each target, and the rest of the front" : "The front")</h2>
      \(sections.trials(shown))
      \(rest)
      \(sections.importance)
      <h2>Settings</h2>
      \(sections.settings)
      \(ways)
      </main>
      \(texts(charts.dots))
      <script>\(HoverScript.text)</script>
      """
    return HTML.page(
      title: "Study \(view.study.name)",
      // Nothing may be loaded from anywhere, whatever the study's texts contain.
      head: "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        + "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">",
      body: body)
  }

  /// The texts of trials that are only dots: single points have theirs.
  private func texts(_ dots: [Trial]) -> String {
    guard !dots.isEmpty else { return "" }
    let all = Dictionary(dots.map { ("\($0.number)", view.text($0)) }, uniquingKeysWith: { $1 })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(all) else { return "" }
    // `<` as an escape, so that no text can end the element.
    let json = String(decoding: data, as: UTF8.self).replacing("<", with: "\\u003c")
    return "<script type=\"application/json\" id=\"trials\">\(json)</script>"
  }
}
