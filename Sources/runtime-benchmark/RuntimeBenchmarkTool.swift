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
    usage: runtime-benchmark latency MODEL [--threads N] [--runs N] [--batch N] [PLAN]
           runtime-benchmark profile MODEL [--threads N] [--runs N] [PLAN]
           runtime-benchmark random NAME|FILE.json OUTPUT     (a model file with random weights)
           runtime-benchmark convert NAME|FILE.json WEIGHTS OUTPUT
           runtime-benchmark serve MODEL [--threads N] [--batch N] [PLAN]
                    (for each line "N": minimum, median and all times of N runs in ms)
           runtime-benchmark agreement MODEL IMAGES [PLAN]
                    (IMAGES: safetensors with "images" [N, C, H, W], normalised; the plan's
                    outputs beside those of single precision)
           PLAN: --isa NAME, --precision float32|bfloat16|int8 (int8 calibrated on the first
           images, or for timing on noise)
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
      let plan = try plan(model, options)
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
      let batch = options["batch"].flatMap(Int.init)
      while let line = readLine(), let count = Int(line) {
        let latency =
          try batch.map { try benchmark.batchLatency(count: $0, runs: count) }
          ?? benchmark.latency(warmUp: 1, runs: count)
        let times = latency.seconds.map { "\($0 * 1e3)" }.joined(separator: " ")
        print(latency.minimum * 1e3, latency.median * 1e3, times)
        fflush(nil)
      }
    case "agreement" where positional.count == 3:
      try agreement(positional[1], positional[2], options)
    default:
      print(usage)
      exit(64)
    }
  }

  private static func plan(_ path: String, _ options: [String: String]) throws -> InferencePlan {
    try plan(ModelFile(contentsOf: path), options)
  }

  private static func plan(
    _ model: ModelFile, _ options: [String: String], images: [[Float]] = []
  ) throws -> InferencePlan {
    let name = options["precision"] ?? "float32"
    guard let precision = Precision(rawValue: name) else {
      print(usage)
      exit(64)
    }
    var calibration: Calibration?
    if precision == .int8 {
      let calibrator = try Calibrator(model.network, weights: model.weights)
      let size = model.network.inputSize
      let count = model.network.inputChannels * size.height * size.width
      // Noise of unit variance, as normalised images have.
      var state: UInt64 = 1
      let noise = (0..<count).map { _ -> Float in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24) * 3.46 - 1.73
      }
      for image in images.isEmpty ? [noise] : images { try calibrator.add(image) }
      calibration = calibrator.calibration
    }
    return try InferencePlan(
      model.network, weights: model.weights, instructionSet: instructionSet(options),
      precision: precision, calibration: calibration)
  }

  /// Compares a plan's outputs with those of single precision; images that calibrate do not count.
  private static func agreement(
    _ path: String, _ imagesPath: String, _ options: [String: String]
  ) throws {
    let model = try ModelFile(contentsOf: path)
    let archive = try Safetensors.read(imagesPath)
    guard let tensor = archive["images"], tensor.shape.count == 4 else {
      throw RuntimeError.modelFile(
        path: imagesPath, reason: "it has no tensor 'images' of shape [N, C, H, W]")
    }
    let size = tensor.shape[1...].reduce(1, *), values = tensor.floats
    let images = (0..<tensor.shape[0]).map { Array(values[$0 * size..<($0 + 1) * size]) }
    let calibrating = min(images.count / 2, 64)
    let exact = try InferenceEngine(plan(model, ["isa": options["isa"] ?? ""]))
    let other = try InferenceEngine(
      plan(model, options, images: Array(images[..<calibrating])))
    var agreeing = 0
    var greatest: Float = 0, scale: Float = 0
    var squares = 0.0, reference = 0.0
    for image in images[calibrating...] {
      let expected = try exact.run(image), actual = try other.run(image)
      func top(_ x: [Float]) -> Int? { x.indices.max { x[$0] < x[$1] } }
      if top(expected) == top(actual) { agreeing += 1 }
      for (a, b) in zip(actual, expected) {
        greatest = max(greatest, abs(a - b))
        scale = max(scale, abs(b))
        squares += Double((a - b) * (a - b))
        reference += Double(b * b)
      }
    }
    print(
      String(
        format: "%d images (calibrated on %d others): the same class for %.2f %%, greatest error"
          + " %.4f of %.4f, signal to noise %.1f dB",
        images.count - calibrating, calibrating,
        Double(agreeing) * 100 / Double(max(images.count - calibrating, 1)), greatest, scale,
        10 * log10(reference / max(squares, 1e-30))))
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
