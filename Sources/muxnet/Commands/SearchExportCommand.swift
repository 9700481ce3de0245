// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXInterchange
import MUXStudies

/// Writes all trials of a study.
struct SearchExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write all trials of a study as CSV or JSON.",
    discussion: """
      EXAMPLES
        muxnet search export digits > trials.csv
        muxnet search export digits --format json --output trials.json
      """)

  /// The forms.
  enum Format: String, CaseIterable, ExpressibleByArgument { case csv, json }

  @OptionGroup var study: StudyArgument

  @Option(help: "csv or json.")
  var format = Format.csv

  @Option(
    name: [.short, .long], help: "The file (default: the standard output).", completion: .file())
  var output: String?

  @OptionGroup var storage: StorageOptions

  private struct Whole: Encodable {
    var study: StudyRecord
    var trials: [TrialRecord]
  }

  func run() throws {
    let coordinator = try storage.coordinator(for: .read)
    let found = try coordinator.study(named: study.study)
    let trials = try coordinator.store.read { try $0.trials(of: found.id, in: [], limit: nil) }
    let recorder = try StudyRecorder(found.definition)
    var text: String
    switch format {
    case .csv: text = recorder.csv(trials)
    case .json:
      let whole = Whole(
        study: recorder.record(try StudyStandings(found, trials: trials)),
        trials: trials.map(recorder.record))
      text = try Console.jsonText(whole) + "\n"
    }
    if let output { return try AtomicFile.write(text, to: output) }
    while text.last?.isNewline == true { text.removeLast() }
    Console.result(text)
  }
}
