// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXNetworks
  import MUXTensor
  import MUXTraining

  /// Times a network.
  struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "benchmark",
      abstract: "Time a network on this machine.",
      discussion: """
        Weights and images are random. With --train a step is forward, loss, backward and an \
        update. Steps are timed one by one after a warm-up; the median counts.

        EXAMPLES
          muxnet benchmark muxnet_m --batch-size 1
          muxnet benchmark muxnet_m --train --batch-size 32 --json
          muxnet benchmark muxnet_m --train --batch-size 128 --input-size 64
        """)

    @OptionGroup var model: ModelOptionGroup

    @Flag(help: "Time a training step instead of inference.")
    var train = false

    @Option(help: "Images in a batch.")
    var batchSize = 32

    @Option(help: "Steps that are timed.")
    var steps = 10

    @Option(help: "Steps before those.")
    var warmUp = 2

    @OptionGroup var device: DeviceOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
      if batchSize < 1 {
        throw ValidationError("--batch-size must be at least 1, not \(batchSize)")
      }
      if steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
      if warmUp < 0 { throw ValidationError("--warm-up must not be negative, not \(warmUp)") }
    }

    private struct Report: Encodable {
      let benchmark: ModelBenchmark
      let medianSeconds: Double
      let quartileSeconds: [Double]
      let imagesPerSecond: Double
    }

    func run() throws {
      let chosen = try device.prepare()
      var settings = ModelBenchmark.Settings()
      settings.mode = train ? .training : .inference
      settings.batchSize = batchSize
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
          Report(
            benchmark: result, medianSeconds: result.medianSeconds,
            quartileSeconds: result.quartileSeconds, imagesPerSecond: result.imagesPerSecond))
      }
      let quartiles = result.quartileSeconds.map { ($0 * 1000).fixed(1) }.joined(separator: " to ")
      Console.result(
        """
        \(result.network), \(settings.mode.rawValue), batch \(batchSize), \(result.inputSize), \
        \(result.device), \(settings.threads) threads
        median \((result.medianSeconds * 1000).fixed(1)) ms a step (quartiles \(quartiles)), \
        \(result.imagesPerSecond.fixed(1)) images/s
        """)
    }
  }
#endif
