// SPDX-License-Identifier: Apache-2.0
import MUXTensor
public import MUXVision

/// Runs a classifier over a set of images and counts.
public struct Evaluator {
  /// Called after each batch with the images done and their total.
  public var progress: (Int, Int) throws -> Void = { _, _ in }
  /// The arithmetic of the forward pass.
  public var precision: TrainingConfiguration.Precision = .float32

  /// An evaluator without progress, in single precision.
  public init() {}

  /// Evaluates a model on all batches of a loader (one that does not shuffle or drop).
  ///
  /// The loss is the mean cross entropy without smoothing. Ties between outputs go to the first.
  public func evaluate(_ model: NetworkModel, on loader: DataLoader) throws -> EvaluationResult {
    let classes = loader.dataSet.classNames
    let wasTraining = model.isTraining
    model.isTraining = false
    defer { model.isTraining = wasTraining }
    var tally = Tally(classes: classes.count)
    let start = ContinuousClock.now
    let total = loader.samplesPerEpoch
    let stream = try loader.epoch(0)
    defer { stream.cancel() }
    while let batch = try stream.next() {
      try withoutGradient {
        let logits = try model.logits(batch, precision: precision)
        try tally.add(logits, labels: batch.labels, network: model.network.name)
      }
      try progress(tally.count, total)
    }
    let seconds = Seconds.since(start)
    return tally.result(classNames: classes, seconds: seconds)
  }
}

/// Running sums of an evaluation.
private struct Tally {
  private var metrics: ClassificationMetrics
  private var lossSum = 0.0
  private let best: Int

  var count: Int { metrics.count }

  init(classes: Int) {
    best = min(5, classes)
    metrics = ClassificationMetrics(classCount: classes, topK: [1, best])
  }

  mutating func add(_ logits: Tensor, labels: [Int64], network: String) throws {
    let classes = metrics.confusion.classCount
    let outputs = logits.size(1)
    guard outputs == classes else {
      throw TrainingError.classCount(network: network, outputs: outputs, classes: classes)
    }
    let target = try Tensor(labels, device: logits.device)
    lossSum += try logits.crossEntropy(target, reduction: .sum).item()
    metrics.add(scores: try logits.floats(), labels: labels)
  }

  func result(classNames: [String], seconds: Double) -> EvaluationResult {
    let images = Double(max(count, 1))
    let confusion = classNames.indices.map { row in
      classNames.indices.map { metrics.confusion[row, $0] }
    }
    return EvaluationResult(
      scores: ClassificationScores(
        top1: Double(metrics.correct[0]) / images,
        top5: Double(metrics.correct[metrics.correct.count - 1]) / images,
        loss: lossSum / images, count: count),
      classes: classNames.enumerated().map { index, name in
        EvaluationResult.ClassResult(
          name: name, count: confusion[index].reduce(0, +), correct: confusion[index][index],
          predicted: confusion.reduce(0) { $0 + $1[index] })
      },
      confusion: confusion, imagesPerSecond: Double(count) / max(seconds, 1e-9), seconds: seconds)
  }
}
