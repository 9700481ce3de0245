// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXWeights

/// A stream of numbers from a seed.
struct Stream: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 2 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    var z = state ^ (state >> 29)
    z = z &* 0xBF58_476D_1CE4_E5B9
    return z ^ (z >> 32)
  }
}

func pixels(_ count: Int, seed: UInt64) -> [Float] {
  var stream = Stream(seed)
  return (0..<count).map { _ in Float.random(in: -2...2, using: &stream) }
}

/// The greatest difference, as a share of the greatest magnitude of the reference.
func difference(_ actual: [Float], _ reference: [Float]) -> Float {
  guard actual.count == reference.count else { return .infinity }
  let scale = max(reference.map { abs($0) }.max() ?? 0, 1e-6)
  let greatest = zip(actual, reference).map { abs($0 - $1) }
  // A NaN is greater than any bound.
  return greatest.contains { $0.isNaN } ? .infinity : (greatest.max() ?? 0) / scale
}

let availableSets = InstructionSet.allCases.filter(\.isAvailable)

/// Compares the runtime, on guarded memory, with the slow interpreter.
func compare(
  _ network: Network, size: ImageSize? = nil, set: InstructionSet, threads: Int = 1,
  seed: UInt64 = 7, isGuarded: Bool = true
) throws -> Float {
  let size = size ?? network.inputSize
  let weights = RandomWeights.archive(network, seed: seed)
  let input = pixels(network.inputChannels * size.height * size.width, seed: seed)
  let plan = try InferencePlan(
    network, weights: weights, inputSize: size, instructionSet: set, isGuarded: isGuarded)
  let actual = try InferenceEngine(plan, threads: threads).run(input)
  let expected = SlowInterpreter(network: network, weights: weights).run(
    input, height: size.height, width: size.width)
  return difference(actual, expected)
}
