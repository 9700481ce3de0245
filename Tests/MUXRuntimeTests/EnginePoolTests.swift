// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import Synchronization
import Testing

/// Counts how many are at work at a time.
private final class Busy: Sendable {
  private let counts = Mutex<(now: Int, most: Int)>((0, 0))

  var most: Int { counts.withLock { $0.most } }

  func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    counts.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
    defer { counts.withLock { $0.now -= 1 } }
    return try body()
  }
}

@Suite("Pools of engines", .tags(.waits), .endsSometime)
struct EnginePoolTests {
  private static func plan() throws -> InferencePlan {
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(16))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    x = builder.activation(x, "act", .relu)
    _ = builder.classify(x, classes: 5)
    let network = try builder.build()
    return try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
  }

  private static func image(_ number: Int) -> Image {
    Image(
      width: 16 + number % 7, height: 20,
      color: [UInt8(number * 37 % 256), UInt8(number * 11 % 256), UInt8(number * 5 % 256)])
  }

  @Test("Many calls give what one engine gives, and no engine is used twice at a time")
  func calls() async throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan)
    let expected = try (0..<60).map { try engine.classify(Self.image($0)) }
    for size in [1, 3] {
      let pool = try EnginePool(plan, size: size, threadsPerEngine: 2)
      let busy = Busy()
      try await withThrowingTaskGroup(of: (Int, [Prediction.Guess]).self) { group in
        for number in 0..<60 {
          group.addTask {
            let guesses = try await pool.withEngine { engine in
              try busy.during { try engine.classify(Self.image(number)) }
            }
            return (number, guesses)
          }
        }
        for try await (number, guesses) in group { #expect(guesses == expected[number]) }
      }
      #expect(busy.most <= size)
    }
  }

  @Test("A call that fails gives its engine back; batches and numbers go through as well")
  func failures() async throws {
    let plan = try Self.plan()
    let pool = try EnginePool(plan, size: 1)
    let engine = try InferenceEngine(plan)
    for _ in 0..<3 {
      await #expect(throws: RuntimeError.guessCount(-1)) {
        try await pool.classify(Self.image(1), top: -1)
      }
      await #expect(throws: RuntimeError.self) { try await pool.run([]) }
    }
    let images = (0..<5).map(Self.image)
    #expect(try await pool.classify(images, top: 2) == engine.classify(images, top: 2))
    let pixels = try plan.pixels(of: images[0])
    #expect(try await pool.run(pixels) == engine.run(pixels))
  }

  @Test("Sizes that make no sense are errors", arguments: [0, -1, 1025, .min, .max])
  func sizes(count: Int) throws {
    let plan = try Self.plan()
    #expect(throws: RuntimeError.poolSize(count)) { try EnginePool(plan, size: count) }
    #expect(throws: RuntimeError.threads(count)) {
      try EnginePool(plan, size: 1, threadsPerEngine: count)
    }
  }
}
