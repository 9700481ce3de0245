// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXNetworks
import MUXRuntime
import MUXWeights

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
      MODEL is a network (with random weights), trained weights that hold their network, or a packed \
      file written by convert --to runtime or by quantize. Images are random. Without options: \
      latency at batch 1 and throughput at batch 64, with one thread and with two. After a warm-up \
      all variants are timed in turns, run by run (for 8 bits, weights that are not packed are \
      calibrated on noise: the time does not depend on it). The share of the peak compares \
      multiply-adds per second with what one core reaches with operands in registers, measured in \
      the same process in float32 (it is not shown for other precisions). --profile adds the time of \
      each step of the plan. A packed file also gives the time from opening it to the first result. \
      With --serve the command reads a number N from each line of the standard input and prints the \
      times of N runs, in milliseconds on one line, so that another program can take turns with it. \
      --post-processing times decoding and suppression of a detector's outputs, on the images of \
      --images or on noise: with the task's threshold, with the one for evaluations, and with none. \
      With --train a step is the forward pass, the loss, the backward pass and an update, on \
      libtorch.

      EXAMPLES
        muxnet benchmark muxnet_m
        muxnet benchmark muxnet_m --batch-size 1 --threads 1 --profile
        muxnet benchmark muxnet_m --precision float32 --precision bfloat16 --precision int8
        muxnet benchmark pets8.muxnet --json
        muxnet benchmark muxnet_m --engine runtime --engine torch --json
        muxnet benchmark runs/cells --post-processing --images cells/JPEGImages
        muxnet benchmark muxnet_m --train --batch-size 32 --json
      """)

  @OptionGroup var model: ModelOptionGroup

  @Flag(help: "Time a training step instead of inference.")
  var train = false

  @Option(
    help: "The engine: runtime or torch; may be given twice to compare (default: runtime).")
  var engine: [Engine] = []

  @Option(
    help: """
      float32, bfloat16 or int8 in the runtime; may be repeated (default: a packed file's own, else \
      float32).
      """)
  var precision: [Precision] = []

  @Option(help: "Batch size; may be repeated (default: 1 and 64; 32 for training).")
  var batchSize: [Int] = []

  @Option(
    help: "Threads that compute; may be repeated; 0 takes one per core (default: 1 and 2).")
  var threads: [Int] = []

  @Option(
    name: .customLong("steps"),
    help: "Timed rounds; small batches run several times in each (default: 10).")
  var givenSteps: Int?

  @Option(name: .customLong("warm-up"), help: "Warm-up runs before them (default: 2).")
  var givenWarmUp: Int?

  @Flag(help: "Show the time of each step of the runtime's plan.")
  var profile = false

  @Flag(help: "For each number on the standard input, time so many runs and print them in ms.")
  var serve = false

  @Flag(help: "Time decoding and suppression of a detector's outputs instead.")
  var postProcessing = false

  @Option(
    help: "With --post-processing: an image, or a folder of them, of which 100 are taken.",
    completion: .file())
  var images: String?

  @Option(help: "The device of libtorch: cpu, cuda, cuda:1 or mps.")
  var device = "cpu"

  @OptionGroup var output: OutputOptions

  var steps: Int { givenSteps ?? 10 }
  var warmUp: Int { givenWarmUp ?? 2 }

  func validate() throws {
    for size in batchSize where size < 1 {
      throw ValidationError("--batch-size must be at least 1, not \(size)")
    }
    for size in batchSize where size > 65_536 {
      throw ValidationError("--batch-size must be at most 65536, not \(size)")
    }
    for count in threads where count < 0 || count > 1024 {
      throw ValidationError("--threads must be 0 to 1024, not \(count)")
    }
    if steps < 1 { throw ValidationError("--steps must be at least 1, not \(steps)") }
    if warmUp < 0 { throw ValidationError("--warm-up must not be negative, not \(warmUp)") }
    if train, engine.contains(.runtime) {
      throw ValidationError("the runtime does not train; leave --engine runtime out")
    }
    if train, batchSize.count > 1 || threads.count > 1 {
      throw ValidationError("--train takes one --batch-size and one --threads")
    }
    if train, serve || !precision.isEmpty {
      throw ValidationError("--serve and --precision are about inference; leave --train out")
    }
    if serve, engine.contains(.torch) || profile || output.json {
      throw ValidationError(
        "--serve times the runtime alone; leave --engine, --profile and --json out")
    }
    if serve, [batchSize.count, threads.count, precision.count].contains(where: { $0 > 1 }) {
      throw ValidationError("--serve takes one --batch-size, one --threads and one --precision")
    }
    if images != nil, !postProcessing {
      throw ValidationError("--images is for --post-processing")
    }
    if postProcessing, train || profile || !engine.isEmpty || (!serve && !precision.isEmpty) {
      throw ValidationError(
        "--post-processing does not time the network; leave --train, --profile, --engine and --precision out"
      )
    }
    if postProcessing, serve, (batchSize.first ?? 1) != 1 || images != nil {
      throw ValidationError("--serve finds boxes in one random image at a time")
    }
    if train, profile { throw ValidationError("--profile is about inference; leave --train out") }
    if serve {
      try UnusedOptions.refuse(
        [("steps", givenSteps != nil), ("warm-up", givenWarmUp != nil)],
        because: "--serve reads how often to run")
    } else if postProcessing {
      try UnusedOptions.refuse(
        [("batch-size", !batchSize.isEmpty), ("threads", !threads.isEmpty)],
        because: "--post-processing takes one image at a time, on one thread")
    } else if !engine.isEmpty, !engine.contains(.runtime) {
      try UnusedOptions.refuse(
        [("precision", !precision.isEmpty), ("profile", profile)],
        because: "libtorch is timed in float32 as a whole")
    }
    if device != "cpu", !train, engine != [.torch] {
      throw ValidationError("--device is for --engine torch")
    }
  }

  func run() throws {
    if train { return try timeTraining() }
    if postProcessing, !serve { return try timePostProcessing() }
    let subject = try BenchmarkSubject(model, precisions: precision)
    let precisions = precision.isEmpty ? [subject.usualPrecision] : precision
    // Only of what does run: what is refused is one line.
    func warn() {
      for precision in precisions where !precision.isAccelerated {
        Console.warning(EngineOptions.slowness(precision))
      }
    }
    if serve {
      let plan = try subject.plan(precisions[0])
      warn()
      return postProcessing ? try answerBoxes(plan) : try answer(plan)
    }
    let network = subject.network
    let engines = engine.isEmpty ? [Engine.runtime] : engine
    let rows = try timeInference(subject, precisions, engines: engines)
    warn()
    let layers = profile && engines.contains(.runtime) ? try profiles(subject, precisions) : []
    let report = try Report(subject, rows, layers)
    if output.json { return try Console.json(report) }
    Console.result(
      "\(network.name), \(network.inputChannels)×\(network.inputSize), "
        + "\(report.multiplyAdds.grouped) multiply-adds, \(report.instructionSet) kernels, "
        + "peak \((report.peakMultiplyAddsPerSecond / 1e9).fixed(1)) G multiply-adds/s a core\n")
    Console.result(BenchmarkTables.rows(rows))
    if let seconds = report.firstResultSeconds {
      Console.result(
        "\nfirst result \((seconds * 1e3).fixed(1)) ms after opening the file of"
          + " \((Double(report.fileBytes ?? 0) / 1e6).fixed(1)) MB")
    }
    for profile in layers { Console.result("\n" + BenchmarkTables.layers(profile)) }
  }

  private struct Report: Encodable {
    let network: String
    let inputSize: ImageSize
    let multiplyAdds: Int
    let instructionSet: String
    let peakMultiplyAddsPerSecond: Double
    let firstResultSeconds: Double?
    let fileBytes: Int?
    let rows: [InferenceBenchmark.Row]
    let profiles: [LayerProfile]

    init(
      _ subject: BenchmarkSubject, _ rows: [InferenceBenchmark.Row], _ profiles: [LayerProfile]
    ) throws {
      let network = subject.network
      self.network = network.name
      firstResultSeconds = subject.firstResultSeconds
      fileBytes = subject.fileBytes
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
    _ subject: BenchmarkSubject, _ precisions: [Precision], engines: [Engine]
  ) throws -> [InferenceBenchmark.Row] {
    let network = subject.network
    var benchmark = try InferenceBenchmark(network)
    for batch in batchSize.isEmpty ? [1, 64] : batchSize {
      for count in threadCounts {
        for engine in engines {
          switch engine {
          case .runtime:
            for precision in precisions {
              benchmark.add(
                InferenceBenchmark.Setting(
                  engine: engine.rawValue, precision: precision.rawValue, threads: count,
                  batchSize: batch),
                model: try subject.model(precision, threads: count))
            }
          case .torch:
            #if TORCH
              try TorchRuntime.check()
              let chosen = try Device(name: device)
              let model = try NetworkModel(network, seed: 1, device: chosen)
              guard subject.packed == nil else {
                throw EvaluationError.packed(path: self.model.model)
              }
              try model.load(subject.checked().archive)
              let setting = InferenceBenchmark.Setting(
                engine: engine.rawValue, threads: count, batchSize: batch)
              benchmark.add(setting, model: TorchModel(model)) {
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

  private func profiles(
    _ subject: BenchmarkSubject, _ precisions: [Precision]
  ) throws -> [LayerProfile] {
    try precisions.flatMap { precision in
      let plan = try subject.plan(precision)
      return try threadCounts.map { count in
        LayerProfile(
          precision: precision, threads: count,
          steps: try RuntimeBenchmark(plan, threads: count).profile(runs: max(steps, 10)))
      }
    }
  }

  /// Answers numbers of runs with their times, line by line, until the input ends.
  private func answer(_ plan: InferencePlan) throws {
    let benchmark = try RuntimeBenchmark(
      plan, threads: threads.first.map { $0 > 0 ? $0 : InferenceEngine.coreCount } ?? 1)
    let batch = batchSize.first ?? 1
    while let line = readLine() {
      guard let runs = Int(line), runs > 0 else {
        throw CommandError("--serve reads a number of runs on each line, not “\(line)”")
      }
      let latency =
        batch > 1
        ? try benchmark.batchLatency(count: batch, runs: runs)
        : try benchmark.latency(warmUp: 1, runs: runs)
      Console.result(latency.seconds.map { "\($0 * 1e3)" }.joined(separator: " "))
    }
  }
}
