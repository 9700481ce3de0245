// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXSearch
import MUXStudies

/// Makes a study.
struct SearchCreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create a study, for search run or search worker to work on.",
    discussion: """
      EXAMPLES
        muxnet search create digits --space digits --recipe digits_search \\
          --budget small:params=5k,madds=100k --budget large:params=40k,madds=800k
        muxnet search create mine --space space.yaml --evaluate 'python3 evaluate.py' \\
          --storage postgresql://me@host/studies --trials 500
        muxnet search create green --space small --evaluate 'python3 evaluate.py' --from mine \\
          --objective energy:minimize:mJ --budget tight:energy=3
      """)

  @Argument(help: "The study's name.")
  var study: String

  @OptionGroup var options: StudyOptions

  @Option(
    help: ArgumentHelp(
      "A study of the same space whose results the new one starts from.",
      valueName: "study"))
  var from: String?

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let definition = try options.definition()
    let coordinator = try storage.coordinator(for: .create)
    let made = try coordinator.create(
      study, definition, attributes: options.attributes,
      continuing: try from.map { try coordinator.study(named: $0) },
      allowsUnreachableTargets: options.allowOutside)
    if output.json {
      let recorder = try StudyRecorder(definition)
      return try Console.json(recorder.record(try coordinator.standings(of: made)))
    }
    Console.result(made.name)
    Console.note("go on with: muxnet search run \(ShellWord.quoted(made.name))")
  }
}
