// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXRuns

/// Lists the runs in a folder.
struct RunListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the runs in a folder with their progress and scores.",
    discussion: """
      The most recently active run comes first. BEST is the score of the best epoch on the \
      validation images, by the metric that ranks the run's epochs.

      EXAMPLES
        muxnet run list
        muxnet run list experiments --json
      """)

  @Argument(help: "The folder of the runs.", completion: .directory)
  var folder = "runs"

  @OptionGroup var output: OutputOptions

  func run() throws {
    let overview = try RunOverview(folder: folder)
    for line in overview.damaged { Console.warning(line) }
    if output.json { return try Console.json(overview.rows) }
    guard !overview.rows.isEmpty else {
      return Console.note("no run in \(folder)")
    }
    var table = TextTable([
      ("RUN", .left), ("STATE", .left), ("NETWORK", .left), ("BEST", .left), ("EPOCH", .right),
      ("CHANGED", .left),
    ])
    for row in overview.rows {
      table.append([
        row.record.name, row.record.state, row.record.network ?? "–", row.score ?? "–",
        row.record.best.map { "\($0.number)" } ?? "–", Self.text(row.date),
      ])
    }
    Console.result(table.text)
  }

  /// A time to the minute, in the zone of this machine.
  private static func text(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd HH:mm"
    return formatter.string(from: date)
  }
}
