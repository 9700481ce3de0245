// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("What cannot be written or read", .tags(.processes), .endsSometime)
struct OutputTests {
  /// Runs a command line of the shell, in which $0 is the program.
  private func shell(_ line: String) throws -> (code: Int32, errors: String) {
    let process = Process(), errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line, Muxnet.program.path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  @Test(
    "A full or closed output is one line and a failure, also for help",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "no /dev/full here"))
  func fullOutput() throws {
    for arguments in [
      "describe muxnet_digits", "describe muxnet_xs --json", "draw muxnet_xs", "--version",
    ] {
      for target in ["/dev/full", "&-"] {
        let outcome = try shell("\"$0\" \(arguments) >\(target)")
        #expect(outcome.code == 1, "\(arguments) >\(target): \(outcome.errors)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(
          lines.count { $0.contains("cannot write to the standard output") } == 1,
          "\(outcome.errors)")
        #expect(lines.count <= 2, "\(outcome.errors)")
      }
    }
    // Remarks that are lost are no failure.
    #expect(try shell("\"$0\" models >/dev/null 2>/dev/full").code == 0)
  }

  @Test("An empty argument is an error that names its place, and nothing takes its place")
  func emptyArguments() throws {
    let folder = try TemporaryFolder()
    for (arguments, place) in [
      (["describe", ""], "as argument 2"),
      (["describe", "muxnet_digits", "--classes="], "--classes="),
      (["convert", "muxnet_digits", folder("a.yaml"), "--to", ""], "after --to"),
      (["search", "list", "--storage", ""], "after --storage"),
      (["run", "compare", "", ""], "as argument 3"),
      (["predict", "--", ""], "as argument 3"), (["models", ""], "as argument 2"),
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(
        outcome.code == 64 && outcome.errorLines.count == 1, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains("an empty text was given"), "\(outcome.errors)")
      #expect(outcome.errors.contains(place), "\(arguments): \(outcome.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("Named pipes are not waited for")
  func namedPipes() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder("p.png"), 0o600) == 0)
    let weights = try DigitsWeights.write(in: folder)
    for arguments in [
      ["predict", folder("p.png"), "--weights", weights],
      ["predict", folder.path, "--weights", folder("p.png")],
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == 1 && outcome.errors.contains("p.png"), "\(outcome.errors)")
    }
  }

  @Test("forward replaces a file only where that is wanted")
  func forwardOverwrites() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    var input = TensorArchive()
    input["input"] = ArchivedTensor((0..<64).map { Float($0 % 5) }, shape: [1, 1, 8, 8])
    try Safetensors.write(input, to: folder("in.safetensors"))
    let network = try JSONEncoder().encode(ModelFile(contentsOf: weights).network)
    try network.write(to: URL(fileURLWithPath: folder("n.json")))
    let forward = [
      "forward", folder("n.json"), "--weights", weights, "--engine", "runtime", "--input",
      folder("in.safetensors"), "--output",
    ]
    let before = try Data(contentsOf: URL(fileURLWithPath: weights))
    let refused = try Muxnet.run(forward + [weights])
    #expect(refused.code == 1 && refused.errors.contains("--overwrite"), "\(refused.errors)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: weights)) == before)
    #expect(try Muxnet.run(forward + [folder("out")]).code == 0)
    #expect(try Muxnet.run(forward + [folder("out"), "--overwrite"]).code == 0)
  }

  @Test("What cannot be written is said before anything is computed for it")
  func unwritableTargets() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    var commands = [
      // Neither the images nor the settings are looked at before.
      ["quantize", weights, folder("no/a.muxnet"), "--images", folder("none")],
      ["convert", folder("none"), folder("no/a.onnx")],
      [
        "forward", folder("none"), "--weights", folder("none"), "--input", folder("none"),
        "--output",
        folder("no/a"),
      ],
      ["data", "priors", folder("none"), "--output", folder("no/a.yaml")],
      ["search", "benchmark", "--data", folder("none"), "--output", "/dev/null/a"],
    ]
    #if TORCH
      commands.append(
        ["train", "--recipe", "digits", "--find-rate", folder("no/a")])
    #endif
    for arguments in commands {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("there is no folder \(folder("no"))")
          || outcome.errors.contains("/dev/null"), "\(arguments): \(outcome.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
  }

  @Test("Batches and threads that no machine has are usage errors")
  func hugeNumbers() throws {
    for arguments in [
      ["--batch-size", "9223372036854775807"], ["--batch-size", "100000000"],
      ["--threads", "100000000"],
    ] {
      let outcome = try Muxnet.run(["benchmark", "muxnet_digits", "--steps", "1"] + arguments)
      #expect(outcome.code == 64, "\(arguments): \(outcome.errors)")
    }
  }
}
