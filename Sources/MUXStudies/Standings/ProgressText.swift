// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
package import MUXSearch

/// Numbers as people write them.
package enum StudyText {
  /// A value in natural units with three digits: 7.52, 4.81k, 92.3k, 1.5M.
  package static func natural(_ value: Double) -> String {
    Metric("", direction: .lower, format: .scaled).number(value)
  }

  /// A value of an objective with its unit.
  package static func value(_ value: Double, of objective: Objective) -> String {
    objective.metric.text(value)
  }

  /// Seconds as 0:07, 12:30 or 3:07:09.
  package static func duration(_ seconds: Double) -> String {
    Seconds.clock(seconds) ?? "?"
  }
}

/// Shows a search as it goes: a few lines that are drawn over on a terminal, plain lines elsewhere.
package final class StudyProgressRenderer {
  /// What may be drawn.
  package struct Style: Sendable {
    /// Whether lines can be drawn over.
    package var isTerminal: Bool
    /// Columns of the terminal.
    package var width: Int
    /// Seconds between two lines where lines cannot be drawn over.
    package var interval: Double

    /// A style.
    package init(isTerminal: Bool, width: Int = 100, interval: Double = 10) {
      self.isTerminal = isTerminal
      self.width = width
      self.interval = interval
    }
  }

  private let style: Style
  private let write: (String) -> Void
  private var drawnLines = 0
  private var watch = Stopwatch()
  private var lastLine = -Double.infinity
  private var lastGeneration = 0

  /// A renderer that hands its text to `write`.
  package init(style: Style, write: @escaping (String) -> Void) {
    self.style = style
    self.write = write
  }

  /// Shows a moment.
  package func show(_ snapshot: StudyTracker.Snapshot) {
    let standings = snapshot.standings
    for trial in snapshot.news where trial.state == .failed {
      line("trial \(trial.number) failed: \(trial.reason ?? "no reason")")
    }
    if style.isTerminal {
      draw([Self.status(snapshot)] + Self.bestLines(standings))
      return
    }
    let generation = standings.generation.current
    let isNew = generation != lastGeneration && !standings.completed.isEmpty
    let now = watch.seconds()
    guard isNew || now - lastLine >= style.interval else { return }
    lastLine = now
    if standings.completed.isEmpty && snapshot.news.isEmpty && lastGeneration != 0 { return }
    lastGeneration = generation
    line(Self.status(snapshot))
    if isNew { for text in Self.bestLines(standings) { line(text) } }
  }

  /// Writes a line that stays.
  package func line(_ text: String) {
    erase()
    write(PlainText.visible(text) + "\n")
  }

  /// Leaves the last picture standing.
  package func finish(_ snapshot: StudyTracker.Snapshot) {
    erase()
    for text in [Self.status(snapshot)] + Self.bestLines(snapshot.standings) { line(text) }
  }

  private func draw(_ lines: [String]) {
    erase()
    for line in lines {
      write(String(PlainText.visible(line).prefix(max(20, style.width - 1))) + "\n")
    }
    drawnLines = lines.count
  }

  private func erase() {
    if drawnLines > 0 { write("\u{1b}[\(drawnLines)A\u{1b}[J") }
    drawnLines = 0
  }

  /// Generation, trials, hypervolume and time left in one line.
  package static func status(_ snapshot: StudyTracker.Snapshot) -> String {
    let standings = snapshot.standings
    let (generation, generations) = standings.generation
    func count(_ state: TrialState) -> Int { standings.counts[state] ?? 0 }
    var parts = [
      "generation \(generation)/\(generations)",
      "\(standings.finishedCount)/\(standings.study.definition.limits.trials) trials",
      "\(count(.running)) running", "\(count(.failed)) failed",
    ]
    if count(.pruned) > 0 { parts.append("\(count(.pruned)) pruned") }
    if count(.stale) > 0 { parts.append("\(count(.stale)) stale") }
    parts.append("hypervolume \(NumberText.fixed(standings.hypervolume, decimals: 4))")
    if let left = snapshot.secondsLeft, left > 0 { parts.append("ETA \(StudyText.duration(left))") }
    return parts.joined(separator: " | ")
  }

  /// The best network of each target, a line each; of many directions only the number.
  package static func bestLines(_ standings: StudyStandings) -> [String] {
    if let list = GridStandings(standings) { return listLines(list, standings) }
    let best = standings.best
    if best.count > 8 {
      let count = Set(best.map(\.trial.number)).count
      return [
        "  \(count) network\(count == 1 ? " is" : "s are") best in \(best.count) directions"
      ]
    }
    let width = best.map(\.target.count).max() ?? 0
    return best.map { entry in
      let values = zip(standings.study.definition.objectives, entry.trial.objectives ?? []).map {
        "\($0.name) \(StudyText.value($1, of: $0))"
      }
      let name = entry.target + String(repeating: " ", count: width - entry.target.count)
      // The value of a budget is that of an objective, which stands in the line anyway.
      let isBudget = entry.fit?.target.kind == .budget
      let value = isBudget ? "budget " : "g \(NumberText.fixed(entry.value, decimals: 3))"
      return "  \(name)  \(value)  trial \(entry.trial.number): "
        + values.joined(separator: ", ") + (entry.fit.map { "; \($0.text)" } ?? "")
    }
  }

  /// The best networks of a list over their seeds.
  private static func listLines(_ list: GridStandings, _ standings: StudyStandings) -> [String] {
    guard let first = standings.study.definition.objectives.first else { return [] }
    let shown = list.rows.filter { $0.seeds > 0 }.prefix(3)
    let width = shown.map(\.network.count).max() ?? 0
    return shown.map { row in
      let name = row.network + String(repeating: " ", count: width - row.network.count)
      return "  \(name)  \(first.name) \(GridStandings.text(row, first)),"
        + " \(row.seeds) of \(list.planned) seeds"
    }
  }
}
