// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXONNX
import MUXPyTorch
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

// The examples of README and of pages that run, convert and export networks, so that they compile; what the
// reader supplies is given here.

private func defined() throws {
  let network = try NetworkFile.resolve("muxnet_m", options: ModelOptions(classes: 10))
  let report = try CostReport(network, inputSize: ImageSize(192))
  print(report.parameters, report.multiplyAdds, report.paperMultiplyAdds)
}

private func classified(image: Image) throws {
  let engine = try InferenceEngine(InferencePlan(model: "pets.muxnet"), threads: 1)
  let guesses = try engine.classify(image)
  _ = guesses
}

private func buffered(width: Int, height: Int, stride: Int, buffer: [UInt8]) throws {
  let image = try Image(
    width: width, height: height, format: .bgra, bytesPerRow: stride, bytes: buffer)
  _ = image
}

private func run(pixels: [Float]) throws {
  let plan = try InferencePlan(model: "muxnet_m.muxnet")
  let engine = try InferenceEngine(plan, threads: 1)
  let logits = try engine.run(pixels)
  _ = logits
}

private func runOnImage(pixels: [Float], image: Image) throws {
  let plan = try InferencePlan(model: "pets.muxnet")
  let engine = try InferenceEngine(plan, threads: 1)
  let guesses = try engine.classify(image)
  _ = guesses
}

private func detected(image: Image) throws {
  let engine = try InferenceEngine(InferencePlan(model: "detector.muxnet"))
  for thing in try engine.detect(image).boxes { print(thing.label, thing.probability, thing.box) }
}

private func converted() throws {
  let file = try WeightsFile.load("checkpoint.pth")
  print(file.key ?? "at the top", file.archive.count)
  let half = try file.archive.convertingFloatingPoint(to: .float16)
  try Safetensors.write(half, to: "weights.safetensors")
  let plain = file.archive.renamed { $0.replacing("teacher.", with: "") }
  _ = plain
}

private func exported(network: Network, archive: TensorArchive) throws {
  var export = ONNXExport()
  export.batch = .dynamic
  let model = try export.model(network, weights: archive)
  try model.write(to: "muxnet_m.onnx")
}

@Suite("Documentation of the runtime, of weights and of export")
struct DocumentationTests {
  @Test(
    "The examples in Swift are those that compile here",
    arguments: [
      ("README.md", 3), ("Docs/INFERENCE.md", 1), ("Docs/DETECTION.md", 1),
      ("Sources/MUXRuntime/MUXRuntime.docc/MUXRuntime.md", 1),
      ("Sources/MUXPyTorch/MUXPyTorch.docc/ConvertingWeights.md", 2),
      ("Sources/MUXONNX/MUXONNX.docc/MUXONNX.md", 1),
    ])
  func examples(page: String, count: Int) throws {
    let examples = try PageExamples(of: page)
    #expect(examples.count == count)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
