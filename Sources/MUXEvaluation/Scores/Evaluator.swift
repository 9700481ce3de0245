// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages
public import MUXVision

/// Runs a classifier over a set of images and counts.
public struct Evaluator {
  /// Called after each batch with the images done and their total.
  public var progress: (Int, Int) throws -> Void = { _, _ in }

  /// An evaluator without progress.
  public init() {}

  /// Evaluates a classifier on all batches of a loader (one that does not shuffle or drop).
  ///
  /// The loss is the mean cross entropy without smoothing. Ties between outputs go to the first.
  ///
  /// - Throws: ``EvaluationError`` where outputs and classes differ in number, or an output is not a
  ///   number.
  public func evaluate(
    _ classifier: some Classifier, on loader: DataLoader
  ) throws -> EvaluationResult {
    let classes = loader.dataSet.classNames
    var tally = Tally(classes: classes.count)
    let start = ContinuousClock.now
    let total = loader.samplesPerEpoch
    let stream = try loader.epoch(0)
    defer { stream.cancel() }
    while let batch = try stream.next() {
      let outputs = try classifier.finiteOutputs(batch) {
        loader.dataSet.name(at: batch.sampleIndices[$0])
      }
      try tally.add(outputs, labels: batch.labels, network: classifier.network.name)
      try progress(tally.count, total)
    }
    return tally.result(classNames: classes, seconds: Seconds.since(start))
  }

  /// Evaluates a classifier on some images.
  public func evaluate(
    _ classifier: some Classifier, pipeline: ImagePipeline, on dataSet: any ImageDataSet,
    batchSize: Int = 128, workers: Int = 2
  ) throws -> EvaluationResult {
    let loader = try DataLoader(
      dataSet, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: max(1, min(batchSize, dataSet.count)), workers: workers,
        layout: classifier.layout))
    return try evaluate(classifier, on: loader)
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

  mutating func add(_ outputs: [Float], labels: [Int64], network: String) throws {
    let classes = metrics.confusion.classCount
    guard outputs.count == labels.count * classes else {
      throw EvaluationError.classCount(
        network: network, outputs: outputs.count / max(labels.count, 1), classes: classes)
    }
    for (row, label) in labels.enumerated() {
      let own = row * classes
      lossSum += Softmax.crossEntropy(
        outputs[own..<own + classes], own: outputs[own + Int(label)])
    }
    metrics.add(scores: outputs, labels: labels)
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
