// SPDX-License-Identifier: Apache-2.0
import Foundation

#if TORCH
  import MUXTensor
  import MUXTraining
#endif

extension BenchmarkCommand {
  #if TORCH
    private struct TrainingReport: Encodable {
      let benchmark: ModelBenchmark
      let medianSeconds: Double
      let quartileSeconds: [Double]
      let imagesPerSecond: Double
    }

    func timeTraining() throws {
      try TorchRuntime.check()
      let chosen = try Device(name: device)
      try chosen.requireAvailable()
      if let count = threads.first, count > 0 { try TorchRuntime.setThreads(count) }
      var settings = ModelBenchmark.Settings()
      settings.mode = .training
      settings.batchSize = batchSize.first ?? 32
      settings.steps = steps
      settings.warmUp = warmUp
      settings.threads = TorchRuntime.threads
      let result = try ModelBenchmark(try model.network(), settings: settings, device: chosen) {
        if Console.errorIsTerminal {
          Console.standardError("\rstep \($0 + 1)/\(steps): \(($1 * 1000).fixed(1)) ms ")
        }
      }
      if Console.errorIsTerminal { Console.standardError("\r\u{1b}[2K") }
      if output.json {
        return try Console.json(
          TrainingReport(
            benchmark: result, medianSeconds: result.medianSeconds,
            quartileSeconds: result.quartileSeconds, imagesPerSecond: result.imagesPerSecond))
      }
      let quartiles = result.quartileSeconds.map { ($0 * 1000).fixed(1) }.joined(separator: " to ")
      Console.result(
        """
        \(result.network), training, batch \(settings.batchSize), \(result.inputSize), \
        \(result.device), \(settings.threads) threads
        median \((result.medianSeconds * 1000).fixed(1)) ms a step (quartiles \(quartiles)), \
        \(result.imagesPerSecond.fixed(1)) images/s
        """)
    }
  #else
    func timeTraining() throws {
      throw CommandError(
        "this build has no libtorch and cannot train; build without MUXNET_TORCH=0")
    }
  #endif
}
