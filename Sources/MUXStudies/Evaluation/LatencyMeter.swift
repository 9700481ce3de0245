// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks
import MUXRuntime

/// Measures how long a network takes on this machine, in the inference runtime.
public enum LatencyMeter {
  /// Milliseconds for one image on one thread: the fastest of some runs, since other work on the
  /// machine only ever makes them slower. The weights are random; the time does not depend on them.
  ///
  /// - Throws: `NetworkError`, `RuntimeError`.
  public static func milliseconds(_ architecture: Architecture, runs: Int = 30) throws -> Double {
    let network = try architecture.network()
    let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
    let benchmark = try RuntimeBenchmark(plan, threads: 1)
    return try benchmark.latency(warmUp: 3, runs: runs).minimum * 1000
  }
}
