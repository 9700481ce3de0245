// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXVision

extension BenchmarkCommand {
  /// From a detector's outputs to boxes: how long it takes for one image, on one thread.
  struct PostProcessingReport: Encodable {
    /// A threshold, and what it let pass.
    struct Row: Encodable {
      /// What passed, in words.
      let boxes: String
      /// The least probability of a box.
      let threshold: Double
      /// Boxes that were left, the median over the images.
      let found: Int
      /// Milliseconds: the median over the images of the median of each, and the greatest of these.
      let medianMilliseconds: Double
      let slowestMilliseconds: Double
    }

    let network: String
    let priors: Int
    let classes: Int
    /// Images whose outputs were decoded, or random numbers.
    let images: Int
    let areReal: Bool
    let rows: [Row]
  }

  /// The most images that are looked at.
  private static let mostImages = 100

  func timePostProcessing() throws {
    let (network, task, classNames, pipeline) = try detector()
    let head = try task.head(for: network, classNames: classNames)
    let prepared = pipeline.map { head.forImages(preparedBy: $0) } ?? head
    let subject = try BenchmarkSubject(model, precisions: [])
    let plan = try subject.plan(subject.usualPrecision)
    let engine = try InferenceEngine(plan)
    let paths = try images.map { try Array(ImageFiles([$0]).paths.prefix(Self.mostImages)) } ?? []
    var outputs: [(values: [Float], size: ImageSize)] = []
    for path in paths {
      let image = try Image(contentsOfFile: path)
      outputs.append((try engine.run(plan.pixels(of: image)), image.size))
    }
    if paths.isEmpty {
      outputs.append((try engine.run(Self.noise(plan.inputShape.count)), network.inputSize))
    }
    let rows = [
      ("those that the task tells", task.threshold),
      ("those that evaluations look at", task.minimumScore),
      ("all", 0),
    ].map { name, threshold in
      row(name, threshold: threshold, outputs: outputs, head: prepared)
    }
    let report = PostProcessingReport(
      network: network.name, priors: head.layout.count, classes: head.classNames.count + 1,
      images: outputs.count, areReal: !paths.isEmpty, rows: rows)
    if output.json { return try Console.json(report) }
    let source =
      report.areReal
      ? "outputs of \(report.images) image\(report.images == 1 ? "" : "s")"
      : "outputs of noise (--images takes real ones)"
    Console.result(
      "\(report.network), \(report.priors.grouped) default boxes × \(report.classes) classes, \(source),"
        + " one thread\n")
    var table = TextTable([
      ("BOXES THAT PASS", .left), ("THRESHOLD", .right), ("LEFT", .right), ("MEDIAN MS", .right),
      ("SLOWEST MS", .right),
    ])
    for row in rows {
      table.append([
        row.boxes, "\(row.threshold)", row.found.grouped, row.medianMilliseconds.fixed(3),
        row.slowestMilliseconds.fixed(3),
      ])
    }
    Console.result(table.text)
  }

  /// Answers numbers of runs with the times of the whole detector, from a prepared image to boxes, until the
  /// input ends.
  func answerBoxes(_ plan: InferencePlan) throws {
    let (network, task, classNames, _) = try detector()
    let head = try task.head(for: network, classNames: classNames)
    let count = threads.first.map { $0 > 0 ? $0 : InferenceEngine.coreCount } ?? 1
    let engine = try InferenceEngine(plan, threads: count)
    let pixels = Self.noise(plan.inputShape.count)
    while let line = readLine() {
      guard let runs = Int(line), runs > 0 else {
        throw CommandError("--serve reads a number of runs on each line, not “\(line)”")
      }
      var times: [String] = []
      for round in 0...runs {
        let start = ContinuousClock.now
        let values = try engine.run(pixels)
        _ = head.decode(values[...], original: network.inputSize, settings: DecodingSettings())
        // The first is a warm-up.
        if round > 0 { times.append("\((ContinuousClock.now - start) / .milliseconds(1))") }
      }
      Console.result(times.joined(separator: " "))
    }
  }

  /// A prepared image of noise, of unit variance.
  private static func noise(_ count: Int) -> [Float] {
    var random = RandomStream(seed: 1, purpose: .augmentation)
    return (0..<count).map { _ in Float(random.uniform(-1.73, 1.73)) }
  }

  /// What of the model decoding needs.
  private func detector() throws -> (
    network: Network, task: Detection, classNames: [String], pipeline: ImagePipeline?
  ) {
    let source = try ModelSource(model)
    let (network, named, classNames, pipeline): (Network, NamedTask?, [String], ImagePipeline?) =
      switch source {
      case .network(let network): (network, nil, [], nil)
      case .weights(let trained):
        // Weights of other origin do not say what they are for.
        trained.metadata == nil
          ? (trained.network, nil, [], nil)
          : (trained.network, trained.task, trained.classNames, trained.pipeline)
      case .packed(let packed):
        (packed.network, packed.taskSettings, packed.classNames ?? [], packed.pipeline)
      }
    let task = named?.task ?? Detection()
    guard let detection = task as? Detection else {
      throw CommandError(
        "\(model.model.printable) is for the task \(type(of: task).name), which has no boxes; give a detector"
      )
    }
    return (network, detection, classNames, pipeline)
  }

  private func row(
    _ name: String, threshold: Double, outputs: [(values: [Float], size: ImageSize)],
    head: DetectionHead
  ) -> PostProcessingReport.Row {
    var times: [Double] = [], found: [Double] = []
    for (values, size) in outputs {
      var own: [Double] = []
      var count = 0
      for round in 0..<(warmUp + max(steps, 5)) {
        let start = ContinuousClock.now
        let boxes = head.decode(
          values[...], original: size, settings: DecodingSettings(threshold: threshold)
        ).boxes
        let time = (ContinuousClock.now - start) / .milliseconds(1)
        if round >= warmUp { own.append(time) }
        count = boxes.count
      }
      times.append(RunTimes(own).median)
      found.append(Double(count))
    }
    return PostProcessingReport.Row(
      boxes: name, threshold: threshold, found: Int(RunTimes(found).median),
      medianMilliseconds: RunTimes(times).median,
      slowestMilliseconds: times.max() ?? 0)
  }
}
