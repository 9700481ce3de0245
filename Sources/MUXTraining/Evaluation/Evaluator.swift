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
  var confusion: [[Int]]
  var count = 0
  private var top5 = 0
  private var lossSum = 0.0

  init(classes: Int) {
    confusion = Array(repeating: Array(repeating: 0, count: classes), count: classes)
  }

  mutating func add(_ logits: Tensor, labels: [Int64], network: String) throws {
    let classes = confusion.count
    let outputs = logits.size(1)
    guard outputs == classes else {
      throw TrainingError.classCount(network: network, outputs: outputs, classes: classes)
    }
    let target = try Tensor(labels, device: logits.device)
    lossSum += try logits.crossEntropy(target, reduction: .sum).item()
    let best = min(5, outputs)
    let guesses: [Int64] = try logits.top(best, dimension: 1).indices.array()
    for (image, label) in labels.enumerated() {
      let own = guesses[(image * best)..<((image + 1) * best)]
      confusion[Int(label)][Int(own.first ?? 0)] += 1
      if own.contains(label) { top5 += 1 }
    }
    count += labels.count
  }

  func result(classNames: [String], seconds: Double) -> EvaluationResult {
    let correct = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
    let images = Double(max(count, 1))
    return EvaluationResult(
      scores: ClassificationScores(
        top1: Double(correct) / images, top5: Double(top5) / images, loss: lossSum / images,
        count: count),
      classes: classNames.enumerated().map { index, name in
        EvaluationResult.ClassResult(
          name: name, count: confusion[index].reduce(0, +), correct: confusion[index][index],
          predicted: confusion.reduce(0) { $0 + $1[index] })
      },
      confusion: confusion, imagesPerSecond: Double(count) / max(seconds, 1e-9), seconds: seconds)
  }
}
