// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXStudies

/// The time of a network in the inference runtime of this machine.
struct RuntimeLatency: LatencyMeasure {
  private static let warmUp = 3
  private static let runs = 30

  /// Milliseconds for one image on one thread: the fastest of some runs, since other work on the
  /// machine only ever makes them slower. The weights are random; the time does not depend on them.
  func milliseconds(_ architecture: Architecture) throws -> Double {
    let network = try architecture.network()
    let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
    let benchmark = try RuntimeBenchmark(plan, threads: 1)
    return try benchmark.latency(warmUp: Self.warmUp, runs: Self.runs).minimum * 1000
  }
}
