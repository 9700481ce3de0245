// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXPaper
import MUXRuntime

#if TORCH
  import MUXTensor
  import MUXTraining
#endif

/// The engines of this build as meters of latency.
enum LatencyMeters {
  /// Single images are quick and noisy: they are timed this many times as often as batches.
  private static let singleImages = 10

  static func all(runs: Int, threads: Int) throws -> [LatencyMeter] {
    var meters = [runtime(runs: runs, threads: threads)]
    #if TORCH
      try TorchRuntime.check()
      try TorchRuntime.setThreads(threads)
      meters.insert(try torch(.cpu, name: "libtorch", runs: runs), at: 0)
      for device in [Device.cuda(0), .mps] where ((try? device.count()) ?? 0) > 0 {
        meters.append(try torch(device, name: "libtorch \(device)", runs: runs))
      }
    #endif
    return meters
  }

  private static func runtime(runs: Int, threads: Int) -> LatencyMeter {
    LatencyMeter(name: "MUXRuntime") { network, batchSize in
      let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
      let benchmark = try RuntimeBenchmark(plan, threads: threads)
      let latency =
        batchSize == 1
        ? try benchmark.latency(runs: runs * singleImages)
        : try benchmark.batchLatency(count: batchSize, runs: runs)
      return latency.median * 1000
    }
  }

  #if TORCH
    private static func torch(_ device: Device, name: String, runs: Int) throws -> LatencyMeter {
      LatencyMeter(name: name) { network, batchSize in
        var settings = ModelBenchmark.Settings()
        settings.batchSize = batchSize
        settings.steps = batchSize == 1 ? runs * singleImages : runs
        settings.warmUp = 1
        settings.threads = TorchRuntime.threads
        return try ModelBenchmark(network, settings: settings, device: device).medianSeconds * 1000
      }
    }
  #endif
}
