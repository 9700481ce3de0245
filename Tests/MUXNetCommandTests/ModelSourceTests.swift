// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite(
  "Runs, weights and packed files wherever a model is asked for", .tags(.processes), .endsSometime)
struct ModelSourceTests {
  private func files(_ folder: TemporaryFolder) throws -> (weights: String, packed: String) {
    let weights = try DigitsWeights.write(in: folder)
    let packed = folder("w.muxnet")
    let outcome = try Muxnet.run(["convert", weights, packed])
    #expect(outcome.code == 0, "\(outcome.errors)")
    return (weights, packed)
  }

  /// A folder that looks like that of a run.
  private func run(_ folder: TemporaryFolder, _ weights: String) throws -> String {
    let run = folder("runs/digits")
    try FileManager.default.createDirectory(
      atPath: "\(run)/checkpoints", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: weights, toPath: "\(run)/best.safetensors")
    return run
  }

  @Test("describe says what weights, a run and a packed file hold")
  func describe() throws {
    let folder = try TemporaryFolder()
    let (weights, packed) = try files(folder)
    let run = try run(folder, weights)
    for (path, words) in [
      (weights, ["weights", "F32", "digit 0, digit 1", "classification", "resize to 8"]),
      (run, ["a run", "digit 0"]),
      (packed, ["packed for the runtime", "format version", "float32", "lanes", "grey"]),
    ] {
      let outcome = try Muxnet.run(["describe", path])
      #expect(outcome.code == 0, "\(outcome.errors)")
      for word in words { #expect(outcome.output.contains(word), "\(path): \(word)") }
      #expect(outcome.output.contains("multiply-adds"))
      let json = try Muxnet.json(["describe", path, "--json"])
      let file = try #require(json["file"] as? [String: Any])
      #expect((file["classNames"] as? [String])?.count == 10)
      #expect(file["pipeline"] != nil && file["task"] as? String == "classification")
    }
    let version = try Muxnet.json(["describe", packed, "--json"])
    #expect(((version["file"] as? [String: Any])?["formatVersion"] as? Int ?? 0) > 0)
    #expect(try Muxnet.json(["describe", "muxnet_xs", "--json"])["file"] == nil)
    let changed = try Muxnet.run(["describe", packed, "--classes", "3"])
    #expect(changed.code == 64 && changed.errorLines.count == 1)
  }

  @Test("a packed file is no source of weights, and what is one is said")
  func packedIsNoSource() throws {
    let folder = try TemporaryFolder()
    let (_, packed) = try files(folder)
    for arguments in [
      ["convert", packed, folder("a.onnx")], ["convert", packed, folder("a.pth")],
      ["convert", packed, folder("a.safetensors")], ["convert", packed, folder("a.muxnet")],
      ["convert", "muxnet_digits", folder("a.onnx"), "--weights", packed],
      ["quantize", packed, folder("a.muxnet"), "--images", folder.path],
    ] {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(arguments)")
      #expect(outcome.errors.contains("give the file it was made from"), "\(outcome.errors)")
      #expect(outcome.errors.contains("network files"), "\(outcome.errors)")
    }
    #expect(try Muxnet.run(["convert", packed, folder("a.yaml")]).code == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
  }

  @Test("draw takes them, too")
  func draw() throws {
    let folder = try TemporaryFolder()
    let (weights, packed) = try files(folder)
    let pictures = try [weights, try run(folder, weights), packed].map { path in
      let outcome = try Muxnet.run(["draw", path])
      #expect(outcome.code == 0, "\(outcome.errors)")
      return outcome.output
    }
    #expect(pictures[0].hasPrefix("<svg") || pictures[0].contains("<svg"))
    #expect(pictures[0] == pictures[1] && pictures[0] == pictures[2])
  }

  @Test("convert writes the weights of a run, and the network of what holds one")
  func convert() throws {
    let folder = try TemporaryFolder()
    let (weights, packed) = try files(folder)
    let run = try run(folder, weights)
    for name in ["a.pth", "a.safetensors"] {
      let outcome = try Muxnet.run(["convert", run, folder(name)])
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    let copy = try Safetensors.read(folder("a.safetensors"))
    for (name, tensor) in try Safetensors.read(weights) {
      #expect(copy[name]?.bytes.array == tensor.bytes.array, "\(name)")
    }
    var networks: Set<String> = []
    for (index, path) in [run, weights, packed].enumerated() {
      let outcome = try Muxnet.run(["convert", path, folder("\(index).yaml")])
      #expect(outcome.code == 0, "\(outcome.errors)")
      networks.insert(try String(contentsOfFile: folder("\(index).yaml"), encoding: .utf8))
    }
    #expect(networks.count == 1)
    let refused = try Muxnet.run(["convert", packed, folder("b.safetensors")])
    #expect(refused.code == 1 && refused.errors.contains("packed for the runtime"))
    #expect(!FileManager.default.fileExists(atPath: folder("b.safetensors")))
  }

  @Test("Weights that do not say their network are refused in one line")
  func unknownNetwork() throws {
    let folder = try TemporaryFolder()
    var archive = TensorArchive()
    archive["x"] = ArchivedTensor([1], shape: [1])
    try Safetensors.write(archive, to: folder("x.safetensors"))
    for command in ["describe", "draw"] {
      let outcome = try Muxnet.run([command, folder("x.safetensors")])
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("does not say which network"), "\(outcome.errors)")
    }
  }

  @Test("evaluate complains of a run that is not there, not of the data that it would name")
  func missingRun() throws {
    let outcome = try Muxnet.run(["evaluate", "--weights", "runs/none"])
    #expect(outcome.code == 1 && outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("there is no file or run runs/none"), "\(outcome.errors)")
  }

  @Test("predict reads an image on the standard input, and writes CSV")
  func standardInput() throws {
    let folder = try TemporaryFolder()
    let weights = try DigitsWeights.write(in: folder)
    let image = folder("blank.png")
    try Image(width: 8, height: 8, color: [255]).writePNG(to: image)
    let file = try Muxnet.run(["predict", image, "--weights", weights, "--format", "csv"])
    let outcome = try Program.run(
      shell: "\"$MUXNET\" predict - --weights '\(weights)' --format csv < '\(image)'",
      in: folder.path)
    #expect(file.code == 0 && outcome.code == 0, "\(outcome.errors)")
    let rows = outcome.output.split(whereSeparator: \.isNewline)
    #expect(rows.first == "path,rank,index,label,probability" && rows.count == 6)
    #expect(rows.dropFirst().allSatisfy { $0.hasPrefix("-,") })
    func values(_ text: String) -> [Substring] {
      text.split(whereSeparator: \.isNewline).dropFirst().map {
        $0.drop { $0 != "," }
      }
    }
    #expect(values(file.output) == values(outcome.output))
    let empty = try Muxnet.run(["predict", "-", "--weights", weights])
    #expect(empty.code == 1 && empty.errors.contains("empty"), "\(empty.errors)")
    let twice = try Muxnet.run(["predict", "-", "-", "--weights", weights])
    #expect(twice.code == 64)
  }

  @Test(
    "Suggestions find the family of a misspelt name",
    arguments: [
      ("mobilnetv3", "mobilenetv3_large_100"), ("resnet18", "resnet50"),
      ("muxnet_mm", "muxnet_m"), ("efficentnet", "efficientnet_b0"),
    ])
  func suggestions(name: String, expected: String) throws {
    let outcome = try Muxnet.run(["describe", name])
    #expect(outcome.code == 1 && outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("'\(expected)'"), "\(outcome.errors)")
  }

  @Test("describe --help has every token of block strings")
  func tokens() throws {
    let help = try Muxnet.run(["describe", "--help"]).output
    for token in ["k3.5.7", "se0.75", "sc-1.0.0.1", "noskip"] { #expect(help.contains(token)) }
  }
}
