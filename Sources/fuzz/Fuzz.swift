// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore

/// Feeds readers of files with broken input until one fails.
@main
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Mutate small files and read them, until a reader crashes or time is up.",
    discussion: """
      An input that ends the process (a trap, a bad access, memory or time beyond the limits) is \
      saved as it was; --replay reads it again. Errors that a reader throws are what it is for.

      TARGETS: \(FuzzTargets.all.map(\.name).joined(separator: ", ")), or all, one after the other.

      EXAMPLES
        swift run fuzz pytorch --seconds 60
        swift run fuzz all --seconds 600 --seed 7
        swift run fuzz pytorch --replay fuzz-pytorch-7-1234
        swift run --sanitize address fuzz packed --memory 0
      """)

  @Argument(help: "The reader to feed.")
  var target: String

  @Option(help: "How long, for each target.")
  var seconds = 10.0

  @Option(help: "What decides the mutations.")
  var seed: UInt64 = 1

  @Option(help: "Seconds that one input may take.")
  var limit: UInt32 = 10

  @Option(
    help: "Memory in MB that the process may take; 0 for any, as the address sanitizer needs.")
  var memory: UInt = 4096

  @Option(help: "A folder of more files to begin with.", completion: .directory)
  var corpus: String?

  @Option(help: "Where inputs that end the process are saved.", completion: .directory)
  var output = "."

  @Option(help: "Read this one file and nothing else.", completion: .file())
  var replay: String?

  func validate() throws {
    guard target == "all" || FuzzTargets.named(target) != nil else {
      throw ValidationError(
        "no target '\(target)'; there are \(FuzzTargets.all.map(\.name).joined(separator: ", "))")
    }
    guard seconds > 0, seconds.isFinite else {
      throw ValidationError("--seconds must be greater than 0")
    }
    if replay != nil, target == "all" {
      throw ValidationError("name the target to replay an input on")
    }
  }

  func run() throws {
    Witness.limitMemory(megabytes: memory)
    for target in FuzzTargets.all where self.target == "all" || self.target == target.name {
      if let replay {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: replay)))
        try Witness.prepare(path: "\(output)/fuzz-\(target.name)-replay", limit: limit)
        print(read(bytes, by: target) ?? "read without an error")
      } else {
        try feed(target)
      }
    }
  }

  private func feed(_ target: any FuzzTarget) throws {
    try Witness.prepare(path: "\(output)/fuzz-\(target.name)-\(seed)", limit: limit)
    var corpus = try target.corpus()
    if let folder = self.corpus {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
        if let data = FileManager.default.contents(atPath: "\(folder)/\(name)") {
          corpus.append([UInt8](data))
        }
      }
    }
    var mutator = Mutator(seed: seed, words: target.words)
    let end = ContinuousClock.now + .seconds(seconds)
    var tried = 0, accepted = 0
    // What a reader accepted after a change is the start of further changes, so that they add up.
    var survivors: [[UInt8]] = []
    while ContinuousClock.now < end {
      let sources = survivors.isEmpty || tried % 2 == 0 ? corpus : survivors
      let input = mutator.mutated(sources)
      tried += 1
      guard read(input, by: target) == nil else { continue }
      accepted += 1
      if survivors.count < 256 {
        survivors.append(input)
      } else {
        survivors[tried % survivors.count] = input
      }
    }
    Witness.finish()
    print("\(target.name): \(tried) inputs, \(accepted) read without an error")
  }

  /// Reads an input; gives the error that the reader throws.
  private func read(_ bytes: [UInt8], by target: any FuzzTarget) -> String? {
    Witness.watch(bytes)
    defer { Witness.rest() }
    do {
      try target.read(bytes)
      return nil
    } catch {
      return "\(error)"
    }
  }
}
