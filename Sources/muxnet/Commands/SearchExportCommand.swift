// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXReport
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

  enum Format: String, CaseIterable, ExpressibleByArgument { case csv, json }

  @OptionGroup var study: StudyArgument

  @Option(help: "csv or json.")
  var format = Format.csv

  @Option(
    name: [.short, .long], help: "The file (default: the standard output).", completion: .file())
  var output: String?

  @Flag(help: "Replace the file of --output if it exists.")
  var overwrite = false

  @OptionGroup var storage: StorageOptions

  private struct Whole: Encodable {
    var study: StudyRecord
    var trials: [TrialRecord]
  }

  func validate() throws {
    if output == nil, overwrite { throw ValidationError("--overwrite needs --output") }
  }

  func run() throws {
    // What is in the way shows before anything is read.
    if let output { try ReportFile.check(output, overwrites: overwrite) }
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
    if let output {
      return try ReportFile.write([UInt8](text.utf8), to: output, overwrites: overwrite)
    }
    while text.last?.isNewline == true { text.removeLast() }
    Console.file(text)
  }
}
