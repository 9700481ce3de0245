// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXStudies

/// Lists the Pareto front of a study.
struct SearchParetoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pareto",
    abstract: "List the networks on the Pareto front of a study.",
    discussion: """
      WITHIN names the targets whose limits a network meets.

      EXAMPLES
        muxnet search pareto digits
        muxnet search pareto digits --json
      """)

  @OptionGroup var study: StudyArgument
  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    let standings = try coordinator.standings(of: try coordinator.study(named: study.study))
    if output.json {
      let recorder = try StudyRecorder(standings.study.definition)
      return try Console.json(standings.front.map(recorder.record))
    }
    guard !standings.front.isEmpty else {
      throw CommandError("study '\(standings.study.name)' has no complete trial yet")
    }
    let front = standings.front
    var fits: [String]?
    if case .targets = standings.study.definition.goal {
      fits = front.map { standings.targetsHolding($0).joined(separator: ", ") }
    }
    Console.result(TrialTable.text(front, of: standings.study, fits: fits))
  }
}
