// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXWeights
import Testing

/// Features are what the last layer makes classes of: its weights times them are the outputs.
@Suite("Features")
struct FeatureTests {
  private static func network(_ name: String) throws -> Network {
    try ModelZoo.network(
      named: name, options: ModelOptions(classes: 7, inputSize: ImageSize(64)))
  }

  /// The last layer by hand.
  private static func classify(
    _ features: [Float], _ network: Network, _ weights: TensorArchive
  ) throws -> [Float] {
    let name = try #require(network.nodes.last?.name)
    let weight = try #require(weights["\(name).weight"]).floats
    let bias = try #require(weights["\(name).bias"]).floats
    return bias.indices.map { row in
      features.indices.reduce(bias[row]) { $0 + weight[row * features.count + $1] * features[$1] }
    }
  }

  @Test(
    "The last layer makes the outputs of them, in each kind of network",
    arguments: ["muxnet_xs", "muxnet_m", "mobilenetv3_small_100", "densenet121"])
  func product(name: String) throws {
    let network = try Self.network(name)
    let weights = RandomWeights.archive(network, seed: 3)
    let input = pixels(3 * 64 * 64, seed: 5)
    for precision in [Precision.float32, .bfloat16] {
      let plan = try InferencePlan(network, weights: weights, precision: precision)
      for threads in [1, 3] {
        let engine = try InferenceEngine(plan, threads: threads)
        let outputs = try engine.run(input), features = try engine.features(input)
        #expect(features.count == plan.featureCount)
        let expected = try Self.classify(features, network, weights)
        #expect(difference(outputs, expected) < (precision == .float32 ? 1e-5 : 0.02))
        // A run does not change what the next one gives.
        #expect(try engine.features(input) == features)
        #expect(try engine.run(input) == outputs)
      }
    }
  }

  @Test("Of an image they are those of its prepared pixels; a packed file gives the same")
  func images() throws {
    let folder = try TemporaryFolder()
    let network = try Self.network("muxnet_s")
    let weights = RandomWeights.archive(network, seed: 3)
    try PackedModel.write(network, weights: weights, to: folder("m.muxnet"))
    let plan = try InferencePlan(model: folder("m.muxnet"))
    let engine = try InferenceEngine(plan)
    let image = Image(
      width: 50, height: 70, channels: 3,
      pixels: (0..<50 * 70 * 3).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let features = try engine.features(of: image)
    #expect(try features == engine.features(plan.pixels(of: image)))
    let direct = try InferenceEngine(InferencePlan(network, weights: weights))
    #expect(try direct.features(of: image) == features)
    #expect(throws: RuntimeError.self) { try engine.features([1, 2]) }
    #expect(throws: RuntimeError.notFinite) {
      try engine.features(Array(repeating: .nan, count: 3 * 64 * 64))
    }
  }

  @Test("Networks that do not end with a fully connected layer have none, and say so")
  func none() throws {
    var builder = NetworkBuilder(name: "pooled", inputSize: ImageSize(16))
    let x = builder.convolution(builder.input, "scores", outputChannels: 4, kernelSize: 3)
    let pooled = try builder.build(outputs: [x])
    for network in [pooled, try Self.network("ssdlite_muxnet_m")] {
      let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
      #expect(plan.featureCount == nil)
      let engine = try InferenceEngine(plan)
      let error = #expect(throws: RuntimeError.noFeatures(network: network.name)) {
        try engine.features(pixels(plan.inputShape.count, seed: 1))
      }
      #expect(error?.description.contains("does not end with a fully connected layer") == true)
    }
  }
}
