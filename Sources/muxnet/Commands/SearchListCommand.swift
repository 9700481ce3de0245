// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXSearch
import MUXStudies

/// Lists studies.
struct SearchListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the studies of a storage.",
    discussion: """
      A damaged study does not hide the others; the list then ends with the error and exit code 1.

      EXAMPLES
        muxnet search list
        muxnet search list --storage postgresql://me@host/studies --json
      """)

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    var (studies, damage) = try coordinator.survey()
    var all: [StudyStandings] = []
    for study in studies {
      do {
        all.append(try coordinator.standings(of: study))
      } catch let error as StudyError where error.isDamage {
        damage.append(error)
      }
    }
    if output.json {
      try Console.json(try all.map { try StudyRecorder($0.study.definition).record($0) })
    } else if !all.isEmpty || damage.isEmpty {
      Console.result(all.isEmpty ? "no studies" : Self.table(all))
    }
    for error in damage.dropLast() { Console.error("\(error)") }
    if let last = damage.last { throw last }
  }

  private static func table(_ all: [StudyStandings]) -> String {
    var table = TextTable([
      ("STUDY", .left), ("ALGORITHM", .left), ("TRIALS", .right), ("COMPLETE", .right),
      ("FAILED", .right), ("RUNNING", .right), ("HYPERVOLUME", .right),
    ])
    for standings in all {
      func count(_ state: TrialState) -> String { (standings.counts[state] ?? 0).grouped }
      table.append([
        standings.study.name, standings.study.definition.algorithm.name,
        "\(standings.finishedCount.grouped)/\(standings.study.definition.limits.trials.grouped)",
        count(.complete), count(.failed), count(.running), standings.hypervolume.fixed(4),
      ])
    }
    return table.text
  }
}
