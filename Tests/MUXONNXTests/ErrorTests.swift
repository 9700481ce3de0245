// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
import MUXONNX
import MUXTestSupport
import MUXWeights
import Testing

@Suite("An export that cannot be")
struct ErrorTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return error.localizedDescription
    }
  }

  @Test("weights of another network: the first names, and none of the layers is taken")
  func otherWeights() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let others = try halves(zoo("mobilenetv2_010", side: 32))
    let text = message { _ = try ONNXExport().model(network, weights: others) }
    #expect(text.hasPrefix("the weights do not fit network 'muxnet_digits': "))
    #expect(text.contains("missing (blocks.") && text.contains("unexpected (blocks."))
    #expect(!text.contains("\n"))
  }

  @Test("weights for other classes: the tensor and both shapes")
  func otherClasses() throws {
    let weights = try halves(zoo("muxnet_digits", side: 16, classes: 10))
    let network = try zoo("muxnet_digits", side: 16, classes: 7)
    let error = #expect(throws: WeightsMismatchError.self) {
      _ = try ONNXExport().model(network, weights: weights)
    }
    #expect(
      error?.report.mismatched.first
        == .init(name: "classifier.weight", expected: [7, 128], actual: [10, 128]))
  }

  @Test("images too small for the strides: the layer")
  func smallImages() throws {
    var builder = NetworkBuilder(name: "deep", inputChannels: 1, inputSize: ImageSize(16))
    var x = builder.convolution(
      builder.input, "first", outputChannels: 2, kernelSize: 3, stride: 2, padding: 0)
    x = builder.convolution(x, "second", outputChannels: 2, kernelSize: 5, padding: 0)
    let network = try builder.build()
    var export = ONNXExport()
    export.inputSize = ImageSize(8)
    let weights = halves(network)
    let text = message { _ = try export.model(network, weights: weights) }
    #expect(text.hasPrefix("layer 'second' cannot run: an input of 8×8 pixels is too small"))
  }

  @Test("a batch of no images", arguments: [0, -3])
  func emptyBatch(count: Int) throws {
    let network = try zoo("muxnet_digits", side: 16)
    var export = ONNXExport()
    export.batch = .fixed(count)
    #expect(throws: ONNXExportError.batch(count)) {
      _ = try export.model(network, weights: halves(network))
    }
  }

  @Test("a file that cannot be written leaves nothing behind")
  func unwritable() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let model = try ONNXExport().model(network, weights: halves(network))
    let folder = try TemporaryFolder()
    #expect(throws: FileError.self) { try model.write(to: folder("none/model.onnx")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("a written model reads back; another file is no model")
  func reading() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let model = try ONNXExport().model(network, weights: halves(network))
    let folder = try TemporaryFolder()
    let path = folder("model.onnx")
    try model.write(to: path)
    let copy = try ONNXModel(contentsOf: path)
    #expect(copy.metadata == model.metadata)
    #expect(copy.operators == model.operators && copy.nodeCount == model.nodeCount)
    for bytes in [Array("no model".utf8), []] {
      try AtomicFile.write(bytes, to: path)
      #expect(message { _ = try ONNXModel(contentsOf: path) }.contains("not an ONNX model"))
    }
  }

  @Test("metadata of a weights file: what it says, and what cannot be read")
  func metadata() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let text = String(decoding: try JSONEncoder().encode(network), as: UTF8.self)
    var archive = TensorArchive(metadata: [
      "muxnet": #"{"network": \#(text), "classNames": ["x", "y"], "epoch": 3}"#,
      "license": "MIT",
    ])
    let known = try ModelMetadata(archive)
    #expect(known.network == network)
    #expect(known.classNames == ["x", "y"])
    #expect(known.license == "MIT")
    // Whoever uses the file takes an output's name from its place.
    #expect(message { try known.checkClasses(of: network) }.contains("2 classes"))
    archive.metadata["muxnet"] = #"{"network": \#(text), "classNames": "x"}"#
    #expect(message { _ = try ModelMetadata(archive) }.contains("'classNames'"))
    archive.metadata = ["format": "pt"]
    let unknown = try ModelMetadata(archive)
    #expect(unknown.network == nil && unknown.license == nil)
    archive.metadata = ["muxnet.network": text, "muxnet.formatVersion": "2"]
    #expect(message { _ = try ModelMetadata(archive) }.contains("version 2 of the format"))
    archive.metadata = ["muxnet.network": #"{"name": 3}"#]
    #expect(message { _ = try ModelMetadata(archive) }.contains("'muxnet.network' cannot be read"))
  }
}
