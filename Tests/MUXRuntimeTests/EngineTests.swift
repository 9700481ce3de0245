// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Engine, plan and model file", .tags(.waits), .endsSometime)
struct EngineTests {
  private func network(_ classes: Int = 10) throws -> Network {
    try ModelZoo.architecture(named: "muxnet_xs").applying(ModelOptions(classes: classes))
      .network()
  }

  private func plan(_ set: InstructionSet? = nil) throws -> InferencePlan {
    let network = try network()
    return try InferencePlan(
      network, weights: RandomWeights.archive(network, seed: 3), inputSize: ImageSize(64),
      instructionSet: set)
  }

  @Test("The result is the same to the bit for every number of threads", arguments: availableSets)
  func threads(set: InstructionSet) throws {
    let plan = try plan(set)
    let input = pixels(plan.inputShape.count, seed: 1)
    let reference = try InferenceEngine(plan, threads: 1).run(input)
    for threads in [2, 3] {
      let engine = try InferenceEngine(plan, threads: threads)
      for _ in 0..<4 { #expect(try engine.run(input) == reference) }
    }
  }

  @Test("Engines that share a plan run at the same time")
  func sharedPlan() async throws {
    let plan = try plan()
    let input = pixels(plan.inputShape.count, seed: 2)
    let reference = try InferenceEngine(plan).run(input)
    try await withThrowingTaskGroup(of: [Float].self) { group in
      for _ in 0..<4 {
        group.addTask { try InferenceEngine(plan, threads: 2).run(input) }
      }
      for try await result in group { #expect(result == reference) }
    }
  }

  @Test("A batch gives what its images give one by one")
  func batch() throws {
    let plan = try plan()
    let size = plan.inputShape.count
    let input = pixels(size * 5, seed: 4)
    for threads in [1, 2] {
      let engine = try InferenceEngine(plan, threads: threads)
      let together = try engine.run(input, count: 5)
      let single = try (0..<5).flatMap {
        try engine.run(Array(input[$0 * size..<($0 + 1) * size]))
      }
      #expect(together == single)
    }
  }

  @Test("Wrong images, threads and numbers are errors that say what to do")
  func errors() throws {
    let plan = try plan()
    let engine = try InferenceEngine(plan)
    #expect(throws: RuntimeError.threads(0)) { try InferenceEngine(plan, threads: 0) }
    #expect(
      throws: RuntimeError.pixelCount(
        expected: plan.inputShape.count, actual: 7, shape: "3×64×64")
    ) { try engine.run(Array(repeating: 0, count: 7)) }
    var input = pixels(plan.inputShape.count, seed: 5)
    input[100] = .nan
    #expect(throws: RuntimeError.notFinite) { try engine.run(input) }
    #expect(throws: RuntimeError.notFinite) { try engine.run(input, count: 1) }
    input[100] = -.infinity
    #expect(throws: RuntimeError.notFinite) { try engine.run(input) }
  }

  @Test("Weights that do not fit are named")
  func weights() throws {
    let network = try network()
    var archive = RandomWeights.archive(network, seed: 1)
    archive["conv_stem.weight"] = nil
    archive["extra"] = ArchivedTensor([1], shape: [1])
    let error = #expect(throws: WeightsMismatchError.self) {
      try InferencePlan(network, weights: archive)
    }
    #expect(error?.report.missing == ["conv_stem.weight"])
    #expect(error?.report.unexpected == ["extra"])
    let other = RandomWeights.archive(try self.network(11), seed: 1)
    let reshaped = #expect(throws: WeightsMismatchError.self) {
      try InferencePlan(network, weights: other)
    }
    #expect(
      reshaped?.report.mismatched.first
        == .init(name: "classifier.weight", expected: [10, 1280], actual: [11, 1280]))
  }

  @Test("A model file gives the plan of its parts")
  func modelFile() throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 8)
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("runtime-\(UUID().uuidString).muxnet").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ModelFile(network, weights: weights).write(to: path)
    #expect(try ModelFile(contentsOf: path).network == network)
    let input = pixels(3 * 64 * 64, seed: 6)
    let direct = try InferencePlan(network, weights: weights, inputSize: ImageSize(64))
    let loaded = try InferencePlan(model: path, inputSize: ImageSize(64))
    #expect(try InferenceEngine(loaded).run(input) == InferenceEngine(direct).run(input))
  }

  @Test("Damaged model files are errors or other models, never crashes")
  func damagedFiles() throws {
    var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(8))
    let x = builder.convolution(builder.input, "conv", outputChannels: 4, kernelSize: 3)
    _ = builder.classify(x, classes: 3)
    let network = try builder.build()
    let folder = FileManager.default.temporaryDirectory
    let path = folder.appendingPathComponent("damaged-\(UUID().uuidString).muxnet").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ModelFile(network, weights: RandomWeights.archive(network, seed: 1)).write(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let input = pixels(3 * 8 * 8, seed: 1)
    var stream = Stream(11)
    var rejected = 0
    for round in 0..<400 {
      var damaged = bytes
      if round % 4 == 0 {
        damaged = damaged.prefix(Int.random(in: 0..<bytes.count, using: &stream))
      } else {
        // Most of the file is the header with the network, which is what can go wrong.
        let at = Int.random(in: 0..<bytes.count, using: &stream)
        damaged[at] ^= 1 << UInt8.random(in: 0..<8, using: &stream)
      }
      try damaged.write(to: URL(fileURLWithPath: path))
      do {
        let plan = try InferencePlan(model: path, inputSize: ImageSize(8))
        _ = try InferenceEngine(plan).run(input)
      } catch {
        rejected += 1
      }
    }
    #expect(rejected > 200)
  }
}
