// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXStudies

/// Changes what may be changed of a study.
struct SearchEditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Rename a study, correct its evaluator, or add a note to it or to a trial.",
    discussion: """
      A corrected evaluator must measure the same, since existing results are kept. Afterwards \
      muxnet search retry requeues the trials that failed.

      EXAMPLES
        muxnet search edit mine --evaluate 'python3 fixed.py'
        muxnet search edit mine --rename photos
        muxnet search edit mine --trial 17 --attribute note='odd curve'
      """)

  @OptionGroup var study: StudyArgument

  @Option(help: "The new name.")
  var rename: String?

  @Option(help: ArgumentHelp("The new command that evaluates.", valueName: "command"))
  var evaluate: String?

  @Option(
    name: .customLong("attribute"),
    help: ArgumentHelp(
      "A note on the study or the trial; an empty value removes it.",
      valueName: "key=value"))
  var attributeTexts: [String] = []

  @Option(help: "The number of the trial that the notes are for.")
  var trial: Int?

  @OptionGroup var storage: StorageOptions

  func validate() throws {
    if rename == nil, evaluate == nil, attributeTexts.isEmpty {
      throw ValidationError("say what to change: --rename, --evaluate or --attribute")
    }
    for text in attributeTexts where !text.contains("=") || text.hasPrefix("=") {
      throw ValidationError("--attribute takes KEY=VALUE, not '\(text)'")
    }
    if trial != nil, attributeTexts.isEmpty { throw ValidationError("--trial needs --attribute") }
  }

  func run() throws {
    let coordinator = try storage.coordinator(for: .write)
    var found = try coordinator.study(named: study.study)
    if let evaluate { try coordinator.setEvaluation(.command(line: evaluate), of: found) }
    let attributes = Dictionary(
      attributeTexts.map { text in
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts[1]))
      }, uniquingKeysWith: { $1 })
    if let trial {
      try coordinator.setAttributes(attributes, ofTrial: trial, of: found)
    } else if !attributes.isEmpty {
      try coordinator.setAttributes(attributes, of: found)
    }
    if let rename { found = try coordinator.rename(found, to: rename) }
    Console.result(found.name)
    if evaluate != nil {
      Console.note(
        "failed trials wait again with: muxnet search retry \(ShellWord.quoted(found.name))")
    }
  }
}
