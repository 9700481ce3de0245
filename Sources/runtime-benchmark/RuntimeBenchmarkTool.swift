// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXInterchange
import MUXNetworks
import MUXRuntime

/// Times plans and writes model files. `serve` is driven line by line, so
/// that its runs can be interleaved with those of other runtimes.
@main
enum RuntimeBenchmarkTool {
  static let usage = """
    usage: runtime-benchmark latency MODEL [--threads N] [--runs N] [--isa NAME] [--batch N]
           runtime-benchmark profile MODEL [--threads N] [--runs N] [--isa NAME]
           runtime-benchmark random NAME|FILE.json OUTPUT     (a model file with random weights)
           runtime-benchmark convert NAME|FILE.json WEIGHTS OUTPUT
           runtime-benchmark serve MODEL [--threads N] [--isa NAME] (for each line "N":
                    minimum, median and all times of N runs in ms)
    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("runtime-benchmark: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    var positional: [String] = []
    var options: [String: String] = [:]
    var index = 0
    while index < arguments.count {
      if arguments[index].hasPrefix("--"), index + 1 < arguments.count {
        options[String(arguments[index].dropFirst(2))] = arguments[index + 1]
        index += 2
      } else {
        positional.append(arguments[index])
        index += 1
      }
    }
    guard positional.count >= 2 else {
      print(usage)
      exit(64)
    }
    let threads = Int(options["threads"] ?? "1") ?? 1
    let runs = Int(options["runs"] ?? "50") ?? 50
    switch positional[0] {
    case "random" where positional.count == 3:
      let network = try NetworkFile.resolve(positional[1])
      try ModelFile(network, weights: RandomWeights.archive(network, seed: 1))
        .write(to: positional[2])
    case "convert" where positional.count == 4:
      let network = try NetworkFile.resolve(positional[1])
      let weights = try WeightsFile.load(positional[2]).archive
      try ModelFile(network, weights: weights).write(to: positional[3])
    case "latency":
      let clock = ContinuousClock()
      let start = clock.now
      let model = try ModelFile(contentsOf: positional[1])
      let opened = clock.now
      let plan = try InferencePlan(
        model.network, weights: model.weights, instructionSet: instructionSet(options))
      let compiled = clock.now
      let engine = try InferenceEngine(plan, threads: threads)
      _ = try engine.run(Array(repeating: 0.5, count: plan.inputShape.count))
      print(
        "first result after \(milliseconds(clock.now - start)) ms from the file: opened in"
          + " \(milliseconds(opened - start)), compiled in \(milliseconds(compiled - opened))")
      let benchmark = try RuntimeBenchmark(plan, threads: threads)
      if let batch = options["batch"].flatMap(Int.init) {
        show("batch of \(batch)", try benchmark.batchLatency(count: batch, runs: runs))
      } else {
        show("one image", try benchmark.latency(runs: runs))
      }
      print("arena \(plan.arenaBytes >> 10) KiB, weights \(plan.weightBytes >> 10) KiB")
    case "profile":
      let plan = try plan(positional[1], options)
      let layers = try RuntimeBenchmark(plan, threads: threads).profile(runs: runs)
      for layer in layers {
        print(
          String(
            format: "%-12@ %8.1f µs %8.3f MMAdds %5.1f %% of peak %3d tasks  ",
            layer.step.kind as NSString, layer.seconds * 1e6,
            Double(layer.step.multiplyAdds) * 1e-6, layer.shareOfPeak * 100, layer.step.taskCount)
            + layer.step.name)
      }
      let total = layers.reduce(0) { $0 + $1.seconds }
      let work = layers.reduce(0) { $0 + $1.step.multiplyAdds }
      print(
        String(
          format: "total %.3f ms, %.1f MMAdds, peak %.1f GMAdds/s", total * 1e3,
          Double(work) * 1e-6, plan.instructionSet.measuredPeak() * 1e-9))
    case "serve":
      let benchmark = try RuntimeBenchmark(try plan(positional[1], options), threads: threads)
      while let line = readLine(), let count = Int(line) {
        let latency = try benchmark.latency(warmUp: 1, runs: count)
        let times = latency.seconds.map { "\($0 * 1e3)" }.joined(separator: " ")
        print(latency.minimum * 1e3, latency.median * 1e3, times)
        fflush(nil)
      }
    default:
      print(usage)
      exit(64)
    }
  }

  private static func plan(_ path: String, _ options: [String: String]) throws -> InferencePlan {
    try InferencePlan(model: path, instructionSet: instructionSet(options))
  }

  private static func instructionSet(_ options: [String: String]) -> InstructionSet? {
    options["isa"].flatMap(InstructionSet.init(rawValue:))
  }

  private static func show(_ what: String, _ latency: RuntimeBenchmark.Latency) {
    print(
      String(
        format: "%@: min %.3f ms, median %.3f ms, p95 %.3f ms", what as NSString,
        latency.minimum * 1e3, latency.median * 1e3, latency.percentile95 * 1e3))
  }

  private static func milliseconds(_ duration: Duration) -> String {
    String(
      format: "%.1f",
      Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15)
  }
}
