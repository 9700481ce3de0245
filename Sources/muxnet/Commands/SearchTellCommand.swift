// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXSearch
import MUXStudies

/// Takes results back by hand.
struct SearchTellCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tell",
    abstract: "Report the result of a network that search ask gave.",
    discussion: """
      Values are NAME=NUMBER, or one JSON object such as {"error": 7.5, "note": "seed 3"}. Values \
      that follow from the network may be left out; values that are not objectives are kept with the \
      trial. With --report the values are intermediate, and the answer is proceed or stop.

      EXAMPLES
        muxnet search tell mine 17 error=7.5
        muxnet search tell mine 17 "$(tail -1 result.json)"
        muxnet search tell mine 17 --report 3 error=20.5
        muxnet search tell mine 17 --failed 'out of memory'
      """)

  @Argument(help: "The study's name.")
  var study: String

  @Argument(help: "The number of the trial.")
  var trial: Int

  @Argument(help: "NAME=NUMBER, or a JSON object.")
  var values: [String] = []

  @Option(help: ArgumentHelp("The evaluation failed, for this reason.", valueName: "reason"))
  var failed: String?

  @Option(
    help: ArgumentHelp(
      "The values are intermediate ones, after this many epochs.", valueName: "epochs"))
  var report: Int?

  @OptionGroup var storage: StorageOptions

  func validate() throws {
    if failed != nil, !values.isEmpty || report != nil {
      throw ValidationError("give values or --failed, not both")
    }
    if failed == nil, values.isEmpty {
      throw ValidationError("give values, such as error=7.5, or --failed REASON")
    }
    if let report, report < 1 { throw ValidationError("--report must be above 0, not \(report)") }
  }

  func run() throws {
    let coordinator = try storage.coordinator(for: .write)
    let found = try coordinator.study(named: study)
    if let failed {
      try coordinator.tell(
        trial, of: found, failed: failed.split(whereSeparator: \.isNewline).joined(separator: " "))
      return Console.result("trial \(trial) failed")
    }
    let (numbers, notes) = try TrialValues.read(values, for: found.definition.objectives)
    if let report {
      let decision = try coordinator.report(trial, of: found, resource: report, numbers)
      return Console.result(decision.rawValue)
    }
    try coordinator.tell(trial, of: found, numbers, notes: notes)
    let done = try coordinator.store.read { try $0.trial(trial, of: found.id) }
    let shown = zip(found.definition.objectives, done?.objectives ?? []).map {
      "\($0.name) \(StudyText.value($1, of: $0))"
    }
    Console.result("trial \(trial): \(shown.joined(separator: ", "))")
  }
}
