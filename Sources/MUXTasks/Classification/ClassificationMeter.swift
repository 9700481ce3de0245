// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Running sums of a classifier's evaluation.
public struct ClassificationMeter: Meter, Hashable {
  /// One class's part.
  public struct ClassResult: Codable, Hashable, Sendable {
    /// The class.
    public var name: String
    /// Images of the class.
    public var count: Int
    /// Those that were recognised (recall = correct / count).
    public var correct: Int
    /// Images of any class that were taken for this one (precision = correct / predicted).
    public var predicted: Int
  }

  /// What an evaluation says beside the scores.
  public struct Details: Codable, Hashable, Sendable {
    /// The classes, in the order of the outputs.
    public var classes: [ClassResult]
    /// How many images of class i (row) were taken for class j (column).
    public var confusion: [[Int]]
  }

  private let classNames: [String]
  private var metrics: ClassificationMetrics
  private var lossSum = 0.0

  /// A meter of so many classes that has counted nothing.
  public init(classNames: [String]) {
    self.classNames = classNames
    metrics = ClassificationMetrics(
      classCount: classNames.count, topK: [1, min(5, classNames.count)])
  }

  /// Images counted.
  public var count: Int { metrics.count }

  /// Counts a batch of outputs [N, K].
  mutating func add(_ outputs: [Float], labels: [Int64]) {
    let classes = classNames.count
    for (row, label) in labels.enumerated() {
      let own = row * classes
      lossSum += Softmax.crossEntropy(
        outputs[own..<own + classes], own: outputs[own + Int(label)])
    }
    metrics.add(scores: outputs, labels: labels)
  }

  /// Takes in what another meter of the same classes has counted.
  public mutating func merge(_ other: ClassificationMeter) {
    metrics.merge(other.metrics)
    lossSum += other.lossSum
  }

  /// Top-1, top-5, and the mean cross entropy.
  public func scores() -> Scores {
    let images = Double(max(count, 1))
    return Scores(
      count: count,
      [
        Metric.loss.name: lossSum / images,
        Classification.top1.name: Double(metrics.correct[0]) / images,
        Classification.top5.name: Double(metrics.correct[metrics.correct.count - 1]) / images,
      ])
  }

  /// The classes one by one, and how often each was taken for each.
  public func details() -> Details {
    let matrix = metrics.confusion
    let confusion = classNames.indices.map { row in classNames.indices.map { matrix[row, $0] } }
    return Details(
      classes: classNames.enumerated().map { index, name in
        ClassResult(
          name: name, count: confusion[index].reduce(0, +), correct: confusion[index][index],
          predicted: confusion.reduce(0) { $0 + $1[index] })
      }, confusion: confusion)
  }

  /// Images and recall of each class.
  public func tables() -> [ScoreTable] {
    let recalls = metrics.confusion.classAccuracies
    return [
      ScoreTable(
        columns: [
          Metric("images", direction: .higher, format: .grouped),
          Metric("recall", unit: "%", direction: .higher, format: .percent(decimals: 1)),
        ],
        rows: details().classes.enumerated().map { index, entry in
          ScoreTable.Row(entry.name, [Double(entry.count), recalls[index]])
        })
    ]
  }
}
