// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXONNX
import MUXRuntime
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite(
  "Detectors, which have several outputs, on the command line", .tags(.processes), .endsSometime)
struct DetectorCommandTests {
  private let size = ImageSize(height: 75, width: 99)
  private let options = ["ssdlite_muxnet_m", "--classes", "3", "--input-size", "75x99"]

  /// Weights and two images in a folder; the network that they are for.
  private func prepare(_ folder: TemporaryFolder) throws -> Network {
    let network = try NetworkFile.resolve(
      "ssdlite_muxnet_m", options: ModelOptions(classes: 3, inputSize: size))
    try Safetensors.write(RandomWeights.archive(network, seed: 1), to: folder("w.safetensors"))
    var images = TensorArchive()
    let pixels: [Float] = (0..<2 * 3 * 75 * 99).map { index in
      Float((index * 7919) % 257) / 128 - 1
    }
    images["input"] = ArchivedTensor(pixels, shape: [2, 3, 75, 99])
    try Safetensors.write(images, to: folder("in"))
    return network
  }

  @Test("forward writes each output under its layer's name; both engines agree on all")
  func forward() throws {
    let folder = try TemporaryFolder()
    let network = try prepare(folder)
    let shapes = try network.shapes()
    var results: [TensorArchive] = []
    for engine in Muxnet.engines {
      let outcome = try Muxnet.run(
        ["forward"] + options + [
          "--weights", folder("w.safetensors"), "--input", folder("in"), "--output",
          folder(engine), "--engine", engine,
        ])
      #expect(outcome.code == 0, "\(outcome.errors)")
      let archive = try Safetensors.read(folder(engine))
      #expect(Set(archive.names) == Set(network.outputs))
      for (name, index) in zip(network.outputs, network.outputIndices) {
        let shape = shapes[index]
        #expect(archive[name]?.shape == [2, shape.channels, shape.height, shape.width], "\(name)")
      }
      results.append(archive)
    }
    for name in network.outputs {
      let all = try results.map { try #require($0[name]).floats }
      let largest = all[0].map(\.magnitude).max() ?? 0
      #expect(largest > 0 && largest.isFinite)
      // The two images are not alike.
      #expect(all[0].prefix(all[0].count / 2) != all[0].suffix(all[0].count / 2), "\(name)")
      for other in all.dropFirst() {
        for (a, b) in zip(all[0], other) { #expect(abs(a - b) <= 1e-4 * largest, "\(name)") }
      }
    }
  }

  @Test("One layer can be asked for, also the map that a head reads inside a block")
  func layer() throws {
    let folder = try TemporaryFolder()
    _ = try prepare(folder)
    var values: [[Float]] = []
    for engine in Muxnet.engines {
      let outcome = try Muxnet.run(
        ["forward"] + options + [
          "--weights", folder("w.safetensors"), "--input", folder("in"), "--output",
          folder(engine), "--engine", engine, "--layer", "base_net.blocks.13.0.act1",
        ])
      #expect(outcome.code == 0, "\(outcome.errors)")
      let value = try #require(try Safetensors.read(folder(engine))["output"])
      #expect(value.shape == [2, 448, 5, 7])
      values.append(value.floats)
    }
    let largest = values[0].map(\.magnitude).max() ?? 0
    for other in values.dropFirst() {
      for (a, b) in zip(values[0], other) { #expect(abs(a - b) <= 1e-4 * largest) }
    }
  }

  @Test("ONNX: all outputs under their names; a packed model runs as well")
  func export() throws {
    let folder = try TemporaryFolder()
    let network = try prepare(folder)
    let weights = ["--weights", folder("w.safetensors")]
    let outcome = try Muxnet.run(["convert"] + options + weights + [folder("a.onnx")])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let model = try ONNXModel(contentsOf: folder("a.onnx"))
    #expect(model.message.graph.output.map(\.name) == network.outputs)
    #expect(model.metadata["outputs"]?.contains("regression_headers.5") == true)
    let packed = try Muxnet.run(["convert"] + options + weights + [folder("a.muxnet")])
    #expect(packed.code == 0, "\(packed.errors)")
    let forward = ["--input", folder("in"), "--engine", "runtime", "--output"]
    for (file, output) in [("w.safetensors", "first"), ("a.muxnet", "second")] {
      let run = try Muxnet.run(
        ["forward"] + options + ["--weights", folder(file)] + forward + [folder(output)])
      #expect(run.code == 0, "\(run.errors)")
    }
    let (first, second) = (
      try Safetensors.read(folder("first")), try Safetensors.read(folder("second"))
    )
    for name in network.outputs { #expect(first[name]?.floats == second[name]?.floats, "\(name)") }
  }

  @Test("ONNX with boxes: three outputs; for detectors, one image, and only with that option")
  func boxesInside() throws {
    let folder = try TemporaryFolder()
    _ = try prepare(folder)
    let weights = ["--weights", folder("w.safetensors")]
    let outcome = try Muxnet.run(
      ["convert"] + options + weights + [folder("a.onnx"), "--post-processing", "--score", "0.2"])
    #expect(outcome.code == 0 && outcome.errors.contains("boxes made inside"), "\(outcome.errors)")
    let graph = try ONNXModel(contentsOf: folder("a.onnx")).message.graph
    #expect(graph.output.map(\.name) == ["boxes", "scores", "labels"])
    #expect(graph.node.contains { $0.opType == "NonMaxSuppression" })
    // A tensor for each input of a node, and no name twice.
    let named = graph.initializer.map(\.name) + graph.node.flatMap(\.output)
    #expect(Set(named).count == named.count)
    let known = Set(named + graph.input.map(\.name))
    for node in graph.node { #expect(node.input.allSatisfy(known.contains), "\(node.name)") }
    let classifier = ["convert", "muxnet_digits", "--input-size", "16"]
    let made = try Muxnet.run(classifier + [folder("c.safetensors"), "--random-weights"])
    #expect(made.code == 0, "\(made.errors)")
    for (arguments, part, code) in [
      (
        ["convert"] + options + weights + ["--post-processing", "--batch", "2"],
        "one image at a time", 1
      ),
      (["convert"] + options + weights + ["--max", "5"], "--post-processing", 64),
      (["convert"] + options + weights + ["--post-processing", "--iou", "2"], "0…1", 64),
      (["convert", folder("c.safetensors"), "--post-processing"], "one output only", 1),
    ] as [([String], String, Int32)] {
      let outcome = try Muxnet.run(arguments + [folder("b.onnx")])
      #expect(outcome.code == code && outcome.errors.contains(part), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder("b.onnx")))
    }
    let timed = try Muxnet.run([
      "benchmark", "ssdlite_muxnet_m", "--input-size", "96", "--post-processing", "--steps", "1",
      "--json",
    ])
    #expect(timed.code == 0 && timed.output.contains("medianMilliseconds"), "\(timed.errors)")
    let untimed = try Muxnet.run(["benchmark", folder("c.safetensors"), "--post-processing"])
    #expect(
      untimed.code == 1 && untimed.errors.contains("no boxes")
        || untimed.errors.contains("one output"))
  }

  @Test("What needs a classifier says so in one line")
  func classifiersOnly() throws {
    let folder = try TemporaryFolder()
    _ = try prepare(folder)
    for name in ["red", "blue"] {
      for index in 0..<12 {
        let path = folder("data/train/\(name)")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Image(width: 8, height: 8, color: [UInt8(index), 9, 200])
          .writePNG(to: "\(path)/\(index).png")
      }
    }
    let image = folder("data/train/red/0.png")
    var commands = [
      ["predict", image, "--weights", folder("w.safetensors"), "--model", "ssdlite_muxnet_m"]
        + ["--classes", "3"]
    ]
    #if TORCH
      commands.append(
        ["train", "--recipe", "cifar10_scratch", "--data", folder("data"), "--model"]
          + ["ssdlite_muxnet_m", "--output", folder("runs")])
    #endif
    for arguments in commands {
      let outcome = try Muxnet.run(arguments)
      #expect(outcome.code == 1, "\(arguments) \(outcome.output)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("has 12 outputs (a detector)"), "\(outcome.errors)")
    }
  }
}
