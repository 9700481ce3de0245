// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworkFiles
import MUXNetworks
import MUXONNX
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("convert to ONNX", .tags(.processes), .endsSometime)
struct ONNXCommandTests {
  /// Random weights of a network of the zoo as a file.
  private func weights(
    _ name: String, in folder: TemporaryFolder, metadata: [String: String] = [:]
  ) throws -> String {
    let network = try NetworkFile.resolve(name)
    var archive = RandomWeights.archive(network, seed: 1)
    archive.metadata = metadata
    try Safetensors.write(archive, to: folder("\(name).safetensors"))
    return folder("\(name).safetensors")
  }

  @Test("a network by name with its weights; the size, the batch, the batch norms, the licence")
  func export() throws {
    let folder = try TemporaryFolder()
    let weights = try weights("muxnet_digits", in: folder, metadata: ["license": "CC0-1.0"])
    let plain = try Muxnet.run(
      ["convert", "muxnet_digits", folder("a.onnx"), "--weights", weights])
    #expect(plain.code == 0, "\(plain.errors)")
    #expect(plain.output.isEmpty)
    #expect(plain.errors.contains("operator set 17, batch 1 of 16x16"))
    let first = try ONNXModel(contentsOf: folder("a.onnx"))
    #expect(first.metadata["network"] == "muxnet_digits")
    #expect(first.metadata["weights_license"] == "CC0-1.0")
    #expect(first.metadata["batch_norms"] == "folded")
    #expect(first.message.graph.input[0].type.tensorType.shape.dim[0].dimValue == 1)
    let other = try Muxnet.run(
      ["convert", "--to", "onnx", "muxnet_digits", "--weights", weights, folder("b.bin")]
        + ["--batch", "dynamic", "--keep-batch-norm", "--input-size", "20x24", "--license", "MIT"])
    #expect(other.code == 0, "\(other.errors)")
    let second = try ONNXModel(contentsOf: folder("b.bin"))
    #expect(second.metadata["input_size"] == "20x24")
    #expect(second.metadata["weights_license"] == "MIT")
    #expect(second.operators["BatchNormalization"] ?? 0 > 0)
    #expect(second.message.graph.input[0].type.tensorType.shape.dim[0].dimParam == "N")
  }

  @Test("weights that hold their network need no other; those that do not say so")
  func ownNetwork() throws {
    let folder = try TemporaryFolder()
    let network = try NetworkFile.resolve("muxnet_digits", options: ModelOptions(classes: 4))
    let path = folder("model.safetensors")
    try ModelFile(network, weights: RandomWeights.archive(network, seed: 1)).write(to: path)
    let outcome = try Muxnet.run(["convert", path, folder("a.onnx")])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try ONNXModel(contentsOf: folder("a.onnx")).metadata["classes"] == "4")
    let bare = try weights("muxnet_digits", in: folder)
    try fails(["convert", bare, folder("b.onnx")], saying: "does not hold its network")
  }

  @Test("a file that exists is replaced only with --overwrite, whatever the format")
  func existing() throws {
    let folder = try TemporaryFolder()
    let weights = try weights("muxnet_digits", in: folder)
    for (input, name, options) in [
      ("muxnet_digits", "a.onnx", ["--weights", weights]), ("muxnet_digits", "a.json", []),
      (weights, "a.pth", []),
    ] {
      try AtomicFile.write("mine", to: folder(name))
      try fails(["convert", input, folder(name)] + options, saying: "exists", "--overwrite")
      #expect(try String(contentsOfFile: folder(name), encoding: .utf8) == "mine")
      let outcome = try Muxnet.run(["convert", input, folder(name), "--overwrite"] + options)
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try Data(contentsOf: URL(filePath: folder(name))).count > 100)
    }
  }

  @Test("what cannot be exported is one line, exit code 1, and no file")
  func failures() throws {
    let folder = try TemporaryFolder()
    let digits = try weights("muxnet_digits", in: folder)
    let output = folder("a.onnx")
    let cases: [([String], [String])] = [
      (["muxnet_cifar", output, "--weights", digits], ["do not fit network 'muxnet_cifar'"]),
      (
        ["muxnet_digits", output, "--weights", digits, "--classes", "3"],
        ["classifier.weight", "[3, 128]"]
      ),
      (["muxnet_digits", output], ["--weights"]),
      (["muxnet_digit", output, "--weights", digits], ["unknown model", "muxnet_digits"]),
      (["muxnet_digits", folder("no/a.onnx"), "--weights", digits], ["no/a.onnx"]),
      (["muxnet_digits", output, "--weights", folder("none.pth")], ["none.pth"]),
    ]
    for (arguments, texts) in cases { try fails(["convert"] + arguments, saying: texts) }
    #expect(!FileManager.default.fileExists(atPath: output))
    // The weights of a layer that no ONNX file can hold; the layer is named before they are read.
    let wide = """
      {"name": "wide", "inputChannels": 1, "inputSize": {"height": 1, "width": 1}, "blocks": [],
       "nodes": [{"name": "flatten", "inputs": ["input"], "operation": {"type": "flatten"}},
         {"name": "fc.huge", "inputs": ["flatten"], "operation":
          {"type": "linear", "inputFeatures": 1, "outputFeatures": 600000000, "hasBias": false}}]}
      """
    try AtomicFile.write(wide, to: folder("wide.json"))
    try fails(
      ["convert", folder("wide.json"), output, "--weights", digits],
      saying: "layer 'fc.huge'", "16777216 channels")
  }

  @Test("an unknown format, a batch of none and options of another format are wrong usage")
  func usage() throws {
    let folder = try TemporaryFolder()
    let digits = try weights("muxnet_digits", in: folder)
    for arguments in [
      ["muxnet_digits", folder("a.tflite"), "--weights", digits],
      ["muxnet_digits", folder("a.onnx"), "--weights", digits, "--to", "tflite"],
      ["muxnet_digits", folder("a.onnx"), "--weights", digits, "--batch", "0"],
      ["muxnet_digits", folder("a.json"), "--batch", "2"],
      [digits, folder("a.pth"), "--keep-batch-norm"],
    ] {
      let outcome = try Muxnet.run(["convert"] + arguments)
      #expect(outcome.code == 64, "\(arguments)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    }
  }

  private func fails(_ arguments: [String], saying texts: String...) throws {
    try fails(arguments, saying: texts)
  }

  private func fails(_ arguments: [String], saying texts: [String]) throws {
    let outcome = try Muxnet.run(arguments)
    #expect(outcome.code == 1, "\(arguments)")
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("error: "))
    for text in texts { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
  }
}
