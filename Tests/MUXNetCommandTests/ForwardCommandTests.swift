// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import MUXWeights
import Testing

@Suite(
  "forward", .enabled(if: Reference.isPresent, "\(Shared.absent)"), .tags(.processes), .endsSometime
)
struct ForwardCommandTests {
  private let model = ["forward", "muxnet_m", "--width", "0.5", "--classes", "10"]
  private let inputs = Reference.path("muxnet_m-half-10classes.io.safetensors")

  @Test(
    "The authors' network gives the authors' logits from either kind of file",
    arguments: ["muxnet_m-half-10classes.safetensors", "muxnet_m-half-10classes.pth.tar"],
    Muxnet.engines)
  func logits(weights: String, engine: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try Muxnet.run(
      model + [
        "--weights", Reference.path(weights), "--input", inputs, "--output", folder("out"),
        "--engine", engine,
      ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    let found = try #require(try Safetensors.read(folder("out"))["output"])
    let expected = try #require(try Safetensors.read(inputs)["logits"])
    #expect(found.shape == [2, 10])
    let largest = expected.floats.map(\.magnitude).max() ?? 0
    for (a, b) in zip(found.floats, expected.floats) { #expect(abs(a - b) <= 1e-4 * largest) }
  }

  @Test(
    "A layer's value can be had by name, and is the authors'", arguments: Muxnet.engines)
  func layer(engine: String) throws {
    let folder = try TemporaryFolder()
    let outcome = try Muxnet.run(
      model + [
        "--weights", Reference.path("muxnet_m-half-10classes.safetensors"), "--input", inputs,
        "--output", folder("out"), "--layer", "blocks.4.0", "--engine", engine,
      ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let archive = try Safetensors.read(folder("out"))
    #expect(archive["output"]?.shape == [2, 24, 8, 8])
    #expect(archive.metadata["layer"] == "blocks.4.0")
  }

  #if TORCH
    @Test(
      "Runtime and libtorch agree layer by layer",
      arguments: ["conv_stem", "blocks.0.0", "blocks.1.0.conv_dw", "blocks.3.0", "conv_head"])
    func engines(layer: String) throws {
      let folder = try TemporaryFolder()
      var values: [[Float]] = []
      for engine in Muxnet.engines {
        let outcome = try Muxnet.run(
          model + [
            "--weights", Reference.path("muxnet_m-half-10classes.safetensors"), "--input", inputs,
            "--output", folder(engine), "--layer", layer, "--engine", engine, "--threads", "2",
          ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        values.append(try #require(try Safetensors.read(folder(engine))["output"]).floats)
      }
      let largest = values[1].map(\.magnitude).max() ?? 0
      #expect(values[0].count == values[1].count)
      for (a, b) in zip(values[0], values[1]) { #expect(abs(a - b) <= 1e-4 * largest) }
    }
  #endif

  @Test("Weights of another network, a wrong input and a missing layer are one line each")
  func wrongFiles() throws {
    let folder = try TemporaryFolder()
    let weights = Reference.path("muxnet_m-half-10classes.safetensors")
    let cases: [[String]] = [
      ["forward", "muxnet_m", "--weights", weights, "--input", inputs],
      model + ["--weights", weights, "--input", weights],
      model + ["--weights", weights, "--input", inputs, "--layer", "blocks.99"],
      model + ["--weights", weights, "--input", "missing.safetensors"],
      model + ["--weights", weights, "--input", inputs, "--device", "cuda:77"],
      model + ["--weights", weights, "--input", inputs, "--classes", "9", "--engine", "runtime"],
      model + ["--weights", weights, "--input", weights, "--engine", "runtime"],
      model + [
        "--weights", weights, "--input", inputs, "--layer", "blocks.99", "--engine", "runtime",
      ],
    ]
    for arguments in cases {
      let outcome = try Muxnet.run(arguments + ["--output", folder("out")])
      #expect(outcome.code == 1, "\(arguments)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder("out")))
    }
  }
}
