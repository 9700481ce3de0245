// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXStudies

/// Copies a study.
struct SearchCopyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy a study with its trials; the copy continues as the study would have.",
    discussion: """
      To start a study with other targets or another evaluation from the results of this one, see \
      muxnet search create --from.

      EXAMPLES
        muxnet search copy digits digits-before
      """)

  @Argument(help: "The study's name.")
  var study: String

  @Argument(help: "The name of the copy.")
  var name: String

  @OptionGroup var storage: StorageOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .write)
    let copy = try coordinator.copy(try coordinator.study(named: study), to: name)
    Console.result(copy.name)
  }
}
