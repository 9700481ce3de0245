// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXInterchange
import MUXNetworks
import MUXRuntime

#if TORCH
  import MUXTensor
  import MUXTraining
#endif

/// Times a network.
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Time a network on this machine.",
    discussion: """
      Weights and images are random. Without options: latency at batch 1 and throughput at batch \
      64, with one thread and with two. Everything is timed run by run in turns after a warm-up. \
      Shares of the peak are multiply-adds per second against what one core reaches with operands \
      in registers, measured in the same process. --profile adds the time of each step of the \
      plan. With --train a step is forward, loss, backward and an update, on libtorch.

      EXAMPLES
        muxnet benchmark muxnet_m
        muxnet benchmark muxnet_m --batch-size 1 --threads 1 --profile
        muxnet benchmark pets.muxnet
        muxnet benchmark muxnet_m --engine runtime --engine torch --json
        muxnet benchmark muxnet_m --train --batch-size 32 --json
      """)

  @OptionGroup var model: ModelOptionGroup

  @Flag(help: "Time a training step instead of inference.")
  var train = false

  @Option(
    help: "What computes: runtime or torch; may be given twice to compare (default: runtime).")
  var engine: [Engine] = []

  @Option(help: "Images in a batch; may be repeated (default: 1 and 64; 32 for training).")
  var batchSize: [Int] = []

  @Option(
    help: "Threads that compute; may be repeated; 0 takes one per core (default: 1 and 2).")
  var threads: [Int] = []

  @Option(help: "Turns that are timed; small batches run several times in each.")
  var steps = 10

  @Option(help: "Runs before those.")
  var warmUp = 2

  @Flag(help: "Show the time of each step of the runtime's plan.")
  var profile = false

  @Option(help: "The device of libtorch: cpu, cuda, cuda:1 or mps.")
  var device = "cpu"

  @OptionGroup var output: OutputOptions

  func validate() throws {
    for size in batchSize where size < 1 {
      throw ValidationError("--batch-size must be at least 1, not \(size)")
    }
    for count in threads where count < 0 {
      throw ValidationError("--threads must not be negative, not \(count)")
    }
    if steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
    if warmUp < 0 { throw ValidationError("--warm-up must not be negative, not \(warmUp)") }
    if train, engine.contains(.runtime) {
      throw ValidationError("the runtime does not train; leave --engine runtime out")
    }
    if train, batchSize.count > 1 || threads.count > 1 {
      throw ValidationError("--train takes one --batch-size and one --threads")
    }
    if train, profile { throw ValidationError("--profile is about inference; leave --train out") }
    if device != "cpu", !train, engine != [.torch] {
      throw ValidationError("--device is for --engine torch")
    }
  }

  func run() throws {
    if train { return try timeTraining() }
    let subject = try Subject(model)
    let network = subject.network
    let engines = engine.isEmpty ? [Engine.runtime] : engine
    let rows = try timeInference(subject, engines: engines)
    let layers = profile && engines.contains(.runtime) ? try profiles(subject) : []
    let report = try Report(subject, rows, layers)
    if output.json { return try Console.json(report) }
    Console.result(
      "\(network.name), \(network.inputChannels)×\(network.inputSize), "
        + "\(report.multiplyAdds.grouped) multiply-adds, \(report.instructionSet) kernels, "
        + "peak \((report.peakMultiplyAddsPerSecond / 1e9).fixed(1)) G multiply-adds/s a core\n")
    Console.result(BenchmarkTables.rows(rows))
    if let seconds = report.firstResultSeconds {
      Console.result("\nfirst result \((seconds * 1e3).fixed(1)) ms after opening the file")
    }
    for profile in layers { Console.result("\n" + BenchmarkTables.layers(profile)) }
  }

  /// What is timed: a network with random weights, or a packed model.
  private struct Subject {
    let network: Network
    let packed: PackedModel?
    let weights: TensorArchive
    let firstResultSeconds: Double?

    init(_ options: ModelOptionGroup) throws {
      guard PackedModel.isPacked(options.model) else {
        network = try options.network()
        weights = RandomWeights.archive(network, seed: 1)
        packed = nil
        firstResultSeconds = nil
        return
      }
      guard options.changes.options == ModelOptions() else {
        throw ValidationError("a packed model cannot be changed; convert it anew")
      }
      let start = ContinuousClock.now
      let model = try PackedModel(contentsOf: options.model)
      let plan = try InferencePlan(model)
      let engine = try InferenceEngine(plan)
      _ = try engine.run(Array(repeating: 0.5, count: plan.inputShape.count))
      firstResultSeconds = (ContinuousClock.now - start) / .seconds(1)
      packed = model
      network = model.network
      weights = TensorArchive()
    }

    func classifier(threads: Int) throws -> RuntimeClassifier {
      guard let packed else {
        return try RuntimeClassifier(network, weights: weights, threads: threads)
      }
      return try RuntimeClassifier(packed, threads: threads)
    }

    func plan() throws -> InferencePlan {
      try packed.map { try InferencePlan($0) } ?? InferencePlan(network, weights: weights)
    }
  }

  private struct Report: Encodable {
    let network: String
    let inputSize: ImageSize
    let multiplyAdds: Int
    let instructionSet: String
    let peakMultiplyAddsPerSecond: Double
    let firstResultSeconds: Double?
    let rows: [InferenceBenchmark.Row]
    let profiles: [LayerProfile]

    init(_ subject: Subject, _ rows: [InferenceBenchmark.Row], _ profiles: [LayerProfile]) throws {
      let network = subject.network
      self.network = network.name
      firstResultSeconds = subject.firstResultSeconds
      inputSize = network.inputSize
      multiplyAdds = try CostReport(network).multiplyAdds
      instructionSet = InstructionSet.current.rawValue
      peakMultiplyAddsPerSecond = InstructionSet.current.measuredPeak()
      self.rows = rows
      self.profiles = profiles
    }
  }

  /// The chosen thread counts; without a choice 1 and 2, as far as there are cores.
  private var threadCounts: [Int] {
    let cores = InferenceEngine.coreCount
    return threads.isEmpty
      ? [1, 2].filter { $0 <= max(cores, 1) } : threads.map { $0 > 0 ? $0 : cores }
  }

  private func timeInference(
    _ subject: Subject, engines: [Engine]
  ) throws -> [InferenceBenchmark.Row] {
    let network = subject.network
    var benchmark = try InferenceBenchmark(network)
    for batch in batchSize.isEmpty ? [1, 64] : batchSize {
      for count in threadCounts {
        for engine in engines {
          let setting = InferenceBenchmark.Setting(
            engine: engine.rawValue, threads: count, batchSize: batch)
          switch engine {
          case .runtime:
            benchmark.add(
              setting,
              classifier: try subject.classifier(threads: count))
          case .torch:
            #if TORCH
              try TorchRuntime.check()
              let chosen = try Device(name: device)
              let model = try NetworkModel(network, seed: 1, device: chosen)
              guard subject.packed == nil else {
                throw EvaluationError.packed(path: self.model.model)
              }
              try model.load(subject.weights)
              benchmark.add(setting, classifier: TorchClassifier(model)) {
                try TorchRuntime.setThreads(count)
              }
            #else
              throw EngineOptions.torchIsAbsent
            #endif
          }
        }
      }
    }
    let rows = try benchmark.run(warmUp: warmUp, rounds: steps) { round in
      if Console.errorIsTerminal { Console.standardError("\rturn \(round) of \(steps)") }
    }
    if Console.errorIsTerminal { Console.standardError("\r\u{1b}[2K") }
    return rows
  }

  private func profiles(_ subject: Subject) throws -> [LayerProfile] {
    let plan = try subject.plan()
    return try threadCounts.map { count in
      LayerProfile(
        threads: count,
        steps: try RuntimeBenchmark(plan, threads: count).profile(runs: max(steps, 10)))
    }
  }

  #if TORCH
    private struct TrainingReport: Encodable {
      let benchmark: ModelBenchmark
      let medianSeconds: Double
      let quartileSeconds: [Double]
      let imagesPerSecond: Double
    }

    private func timeTraining() throws {
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
    private func timeTraining() throws {
      throw CommandError(
        "this build has no libtorch and cannot train; build without MUXNET_TORCH=0")
    }
  #endif
}
