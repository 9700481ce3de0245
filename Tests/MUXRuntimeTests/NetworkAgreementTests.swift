// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Whole networks")
struct NetworkAgreementTests {
  @Test(
    "The authors' logits of a half-width MUXNet-m come out",
    .enabled(if: Reference.isPresent, "\(Shared.absent)"),
    arguments: availableSets)
  func authorsLogits(set: InstructionSet) throws {
    let weights = try Safetensors.read(
      Reference.path("muxnet_m-half-10classes.safetensors"))
    let io = try Safetensors.read(Reference.path("muxnet_m-half-10classes.io.safetensors"))
    let input = try #require(io["input"]).floats
    let logits = try #require(io["logits"]).floats
    var options = ModelOptions(classes: 10)
    options.widthMultiplier = 0.5
    let network = try ModelZoo.architecture(named: "muxnet_m").applying(options).network()
    let plan = try InferencePlan(
      network, weights: weights, inputSize: ImageSize(64), instructionSet: set)
    let engine = try InferenceEngine(plan, threads: 2)
    #expect(difference(try engine.run(input, count: 2), logits) < 1e-4)
    let size = input.count / 2
    for image in 0..<2 {
      let own = Array(input[image * size..<(image + 1) * size])
      let expected = Array(logits[image * 10..<(image + 1) * 10])
      #expect(difference(try engine.run(own), expected) < 1e-4)
    }
  }

  @Test(
    "Networks of the zoo agree with the definitions of their operations",
    arguments: ["muxnet_xs", "muxnet_s", "muxnet_m", "mobilenetv2_035_mux", "mobilenetv2_100_l50"])
  func zoo(name: String) throws {
    let network = try ModelZoo.architecture(named: name).applying(ModelOptions(classes: 12))
      .network()
    #expect(try compare(network, size: ImageSize(64), set: .current) < 1e-4)
  }

  @Test("Image sizes that no stride divides are right", arguments: availableSets)
  func oddSizes(set: InstructionSet) throws {
    let network = try ModelZoo.architecture(named: "muxnet_xs").applying(ModelOptions(classes: 5))
      .network()
    for size in [ImageSize(height: 37, width: 51), ImageSize(height: 70, width: 33)] {
      #expect(try compare(network, size: size, set: set) < 1e-4)
    }
  }
}
