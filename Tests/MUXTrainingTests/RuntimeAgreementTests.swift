// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXSearch
import MUXTensor
import MUXTraining
import MUXWeights
import Testing

/// The inference runtime against the node-by-node executor on libtorch.
@Suite("Runtime and libtorch agree")
struct RuntimeAgreementTests {
  /// The greatest difference between the outputs for two images, as a share of the greatest output
  /// of libtorch; infinite if an output is not finite, or if the number of threads matters.
  private func difference(_ network: Network, seed: UInt64) throws -> Float {
    let weights = RandomWeights.archive(network, seed: seed)
    let model = try NetworkModel(network, seed: 0, fusesOperations: false)
    try model.load(weights)
    let size = network.inputSize
    let count = network.inputChannels * size.height * size.width
    let input = try TorchGenerator(seed: seed).normal(
      [2, network.inputChannels, size.height, size.width])
    let expected = try withoutGradient { try model.forward(input).contiguous().floats() }
    let pixels = try input.floats()
    let plan = try InferencePlan(network, weights: weights)
    let one = try InferenceEngine(plan, threads: 1).run(pixels, count: 2)
    let two = try InferenceEngine(plan, threads: 2)
    let shared = try two.run(Array(pixels[..<count])) + two.run(Array(pixels[count...]))
    guard one == shared, one == (try two.run(pixels, count: 2)), one.count == expected.count else {
      return .infinity
    }
    let scale = max(expected.map(\.magnitude).max() ?? 0, 1e-6)
    let differences = zip(one, expected).map { abs($0 - $1) / scale }
    return differences.allSatisfy(\.isFinite) ? differences.max() ?? 0 : .infinity
  }

  @Test(
    "MUXNets and MobileNetV2 at their own size, with all classes",
    arguments: ["muxnet_xs", "muxnet_s", "muxnet_m", "muxnet_l", "mobilenetv2_100"])
  func paper(name: String) throws {
    #expect(try difference(ModelZoo.network(named: name), seed: 1) <= 1e-4)
  }

  @Test(
    "Networks that the paper compares with",
    arguments: [
      "mobilenetv1_100", "mobilenetv3_large_100", "mobilenetv3_small_100", "mnasnet_100",
      "semnasnet_100", "fbnetc_100", "mixnet_s", "efficientnet_b0", "shufflenetv2_100",
      "densenet121", "resnet50", "nasnetamobile",
    ])
  func others(name: String) throws {
    let options = ModelOptions(classes: 10, inputSize: ImageSize(96))
    #expect(try difference(ModelZoo.network(named: name, options: options), seed: 2) <= 1e-4)
  }

  @Test("200 random networks of the search spaces", arguments: ["small", "imagenet"])
  func random(space name: String) throws {
    var space = try NetworkSpace.named(name)
    if space.inputSize > 64 { space.inputSize = 96 }
    space.classes = 10
    let domain = NetworkDomain(space)
    var tried = 0
    var index = 0
    while tried < 100 {
      var random = SearchRandom(seed: 7, purpose: "runtime agreement \(name)", index: index)
      index += 1
      let genome = Genome(domain.genes.map { Int.random(in: 0..<$0.choices, using: &random) })
      guard domain.canonical(genome) != nil else { continue }
      let network = try domain.architecture(genome, name: "random \(index)").network()
      let found = try difference(network, seed: UInt64(index))
      #expect(found <= 1e-4, "genome \(genome.values)")
      tried += 1
    }
  }
}
