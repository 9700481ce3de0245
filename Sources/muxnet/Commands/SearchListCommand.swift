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
      EXAMPLES
        muxnet search list
        muxnet search list --storage postgresql://me@host/studies --json
      """)

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    let all = try coordinator.studies().map { try coordinator.standings(of: $0) }
    if output.json {
      return try Console.json(
        try all.map { try StudyRecorder($0.study.definition).record($0) })
    }
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
    Console.result(all.isEmpty ? "no studies" : table.text)
  }
}
