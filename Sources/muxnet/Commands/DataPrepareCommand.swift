// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXVision

/// Scales the images of a folder down, once.
struct DataPrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Scale the images of a folder down once, into a new folder.",
    discussion: """
      If images are much larger than the network's input, decoding takes most of the training time. \
      The new folder has the same files: images whose shorter side exceeds --size are scaled to it \
      and written as PNG; smaller ones and lists (.csv, .txt) are copied unchanged. Leave some \
      margin for crops: 256 for a network with 224×224 input.

      Ctrl-C interrupts it with exit code 130; the same command continues. Images that cannot be \
      read are named and skipped, and the exit code is 1. Images with boxes are refused, since boxes \
      are in pixels.

      EXAMPLES
        muxnet data prepare chestxray14 chestxray14-256
        muxnet data prepare photos photos-320 --size 320 --workers 8
      """)

  @Argument(help: "The folder of the images.", completion: .directory)
  var source: String

  @Argument(help: "The new folder.", completion: .directory)
  var destination: String

  @Option(help: "The greatest length of the shorter side, in pixels.")
  var size = 256

  @Option(help: "Images processed in parallel.")
  var workers = max(1, ProcessInfo.processInfo.activeProcessorCount)

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if !(1...65_536).contains(size) {
      throw ValidationError("--size must be from 1 to 65536, not \(size)")
    }
    if workers < 1 { throw ValidationError("--workers must be at least 1, not \(workers)") }
    if destination.isEmpty { throw ValidationError("name the new folder") }
  }

  func run() throws {
    guard try DataConfiguration.boxParts(at: source) == nil else {
      throw CommandError(
        "\(source): the images have boxes in pixels, which would no longer fit; train on them as they"
          + " are")
    }
    let preparation = try FolderPreparation(
      source: source, destination: destination, side: size)
    StopRequest.watch()
    var bar = ProgressBar(preparation.images.count, "images")
    let outcome: FolderPreparation.Outcome
    do {
      defer { bar.remove() }
      outcome = try preparation.run(threads: workers) { done in
        bar.show(done)
        return StopRequest.signal == nil
      }
    }
    if output.json {
      try Console.json(outcome)
    } else {
      for image in outcome.broken {
        Console.result("broken: \(image.name.printable): \(image.reason.printable)")
      }
      Console.result(
        "\(destination): \(outcome.scaled.grouped) images scaled, \(outcome.copied.grouped) copied"
          + (outcome.before > 0 ? ", \(outcome.before.grouped) there before" : "")
          + ", \(preparation.lists.count.grouped) lists, \(outcome.broken.count.grouped) broken")
    }
    if outcome.renamed > 0, !preparation.lists.isEmpty {
      Console.warning(
        "\(outcome.renamed.grouped) scaled images have names that end with .png now; where lists name"
          + " them, change them there")
    }
    if !outcome.isComplete, let signal = StopRequest.signal {
      Console.note(
        "go on with: muxnet data prepare \(ShellWord.quoted(source)) \(ShellWord.quoted(destination))"
          + (size == 256 ? "" : " --size \(size)"))
      throw ExitCode(128 + signal)
    }
    if !outcome.broken.isEmpty {
      let count = outcome.broken.count
      throw CommandError(
        "\(count) broken image\(count == 1 ? " is" : "s are") left out; replace the files named above, and"
          + " run the command again")
    }
  }
}
