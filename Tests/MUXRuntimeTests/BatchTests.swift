// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// What one thread computes in belongs to it alone: a batch gives what its images give one by one,
/// whatever the number of images and of threads.
@Suite("Batches on threads", .tags(.waits), .endsSometime)
struct BatchTests {
  /// A block with what steps hand each other: an expansion, a spatial convolution, a residual sum.
  private static func blocks(_ builder: inout NetworkBuilder) -> NetworkBuilder.Value {
    var x = builder.convolution(builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2)
    let shortcut = x
    x = builder.convolution(x, "expand", outputChannels: 24)
    x = builder.activation(x, "act1", .relu)
    x = builder.convolution(x, "spatial", outputChannels: 24, kernelSize: 3, groups: 24)
    x = builder.activation(x, "act2", .relu)
    x = builder.convolution(x, "project", outputChannels: 8)
    return builder.sum(x, shortcut, "sum")
  }

  private static func classifier(size: Int = 24) throws -> Network {
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(size))
    let x = blocks(&builder)
    _ = builder.classify(x, classes: 5)
    return try builder.build()
  }

  private static func detector() throws -> Network {
    var builder = NetworkBuilder(name: "boxes", inputSize: ImageSize(24))
    let x = blocks(&builder)
    let scores = builder.convolution(x, "scores", outputChannels: 6, kernelSize: 3)
    let boxes = builder.convolution(x, "boxes", outputChannels: 8)
    return try builder.build(outputs: [scores, boxes])
  }

  private static func plan(_ network: Network, _ precision: Precision) throws -> InferencePlan {
    let weights = RandomWeights.archive(network, seed: 11)
    var calibration: Calibration?
    if precision == .int8 {
      let calibrator = try Calibrator(network, weights: weights)
      let size = network.inputSize
      try calibrator.add(pixels(network.inputChannels * size.height * size.width, seed: 1))
      calibration = calibrator.calibration
    }
    return try InferencePlan(
      network, weights: weights, precision: precision, calibration: calibration)
  }

  private static func check(
    _ plan: InferencePlan, counts: some Sequence<Int>, threads: some Sequence<Int>
  ) throws {
    let size = plan.inputShape.count, outputs = plan.outputShape.count
    let most = counts.max() ?? 0
    let input = pixels(size * most, seed: 4)
    let reference = try InferenceEngine(plan)
    let expected = try (0..<most).flatMap {
      try reference.run(Array(input[$0 * size..<($0 + 1) * size]))
    }
    #expect(Set(expected).count > most)
    for threads in threads {
      let engine = try InferenceEngine(plan, threads: threads)
      for count in counts {
        let together = try engine.run(Array(input[..<(count * size)]), count: count)
        #expect(
          together == Array(expected[..<(count * outputs)]),
          "\(count) images on \(threads) threads")
      }
    }
  }

  @Test(
    "1 to 20 images on 1 to 17 threads, more than there are cores",
    arguments: [Precision.float32, .bfloat16, .int8])
  func everyNumber(precision: Precision) throws {
    try Self.check(
      try Self.plan(Self.classifier(), precision), counts: 1...20, threads: 1...17)
  }

  @Test("A detector with two outputs", arguments: [Precision.float32, .int8])
  func detector(precision: Precision) throws {
    let plan = try Self.plan(Self.detector(), precision)
    #expect(plan.outputs.count == 2)
    try Self.check(plan, counts: [1, 2, 3, 5, 16, 17], threads: [1, 2, 3, 4, 8, 17])
  }

  @Test("Few images that take long, on many threads")
  func slowImages() throws {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(ModelOptions(classes: 10, inputSize: ImageSize(64))).network()
    let plan = try Self.plan(network, .float32)
    try Self.check(plan, counts: [2, 3, 4], threads: [3, 4, 8])
  }

  @Test("Every thread that takes an image has an arena; those without one take none")
  func arenas() throws {
    let plan = try Self.plan(Self.classifier(size: 8), .float32)
    let image = pixels(plan.inputShape.count, seed: 1)
    for threads in [1, 2, 3, 8] {
      let engine = try InferenceEngine(plan, threads: threads)
      #expect(engine.arenaAddresses.count == 1)
      var most = 1
      for count in [1, 2, 5, 20, 3] {
        _ = try engine.run(Array(repeatElement(image, count: count).joined()), count: count)
        most = max(most, min(count, threads))
        #expect(engine.arenaAddresses.count == most)
        #expect(Set(engine.arenaAddresses).count == most)
      }
    }
  }

  @Test("An engine that is called while it runs says so; it runs again afterwards")
  func inUse() throws {
    let plan = try Self.plan(Self.classifier(size: 8), .float32)
    let engine = try InferenceEngine(plan)
    var inner: (any Error)?
    let image = pixels(plan.inputShape.count, seed: 1)
    let outputs = try engine.run { buffer in
      for (index, value) in image.enumerated() { buffer[index] = value }
      do { _ = try engine.run(image) } catch { inner = error }
    }
    #expect(inner as? RuntimeError == .engineInUse)
    #expect(try engine.run(image) == outputs)
  }
}
