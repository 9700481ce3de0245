// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXStudies

/// Removes a study.
struct SearchDeleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Remove a study with all its trials.",
    discussion: """
      EXAMPLES
        muxnet search delete digits --yes
      """)

  @Argument(help: "The study's name.")
  var study: String

  @Flag(help: "Do it; without this, only say what would be removed.")
  var yes = false

  @OptionGroup var storage: StorageOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: yes ? .write : .read)
    // By its name alone, so that a damaged study can be removed too.
    let (found, count) = try coordinator.entry(named: study)
    guard yes else {
      throw CommandError(
        "study '\(found.name)' with \(count.grouped) trials would be removed for good; confirm with --yes"
      )
    }
    try coordinator.delete(found)
    Console.result("removed \(found.name) with \(count.grouped) trials")
  }
}
