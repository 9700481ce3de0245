// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXStudies

/// Lets failed trials be tried again.
struct SearchRetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Requeue failed trials.",
    discussion: """
      EXAMPLES
        muxnet search retry digits
        muxnet search retry digits --trial 3 --trial 17
      """)

  @OptionGroup var study: StudyArgument

  @Option(name: .customLong("trial"), help: "The number of a failed trial (default: all of them).")
  var trials: [Int] = []

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .write)
    let found = try coordinator.study(named: study.study)
    let repeated = try coordinator.retry(trials.isEmpty ? nil : trials, of: found)
    if output.json { return try Console.json(repeated) }
    Console.result(
      repeated.isEmpty
        ? "no failed trials"
        : "trials \(repeated.map(String.init).joined(separator: ", ")) wait for a worker")
    if !repeated.isEmpty {
      Console.note("go on with: muxnet search run \(ShellWord.quoted(found.name))")
    }
  }
}
