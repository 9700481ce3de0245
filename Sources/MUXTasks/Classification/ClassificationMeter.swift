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
    /// Right ones among those taken for this class; nil where none was.
    public var precision: Double?
    /// Recognised ones among the images of the class; nil where there are none.
    public var recall: Double?
    /// The harmonic mean of precision and recall; nil where there are no images.
    public var f1: Double?

    /// Writes shares that are undefined as `null`: they are neither absent nor 0.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(count, forKey: .count)
      try container.encode(correct, forKey: .correct)
      try container.encode(predicted, forKey: .predicted)
      try container.encode(precision, forKey: .precision)
      try container.encode(recall, forKey: .recall)
      try container.encode(f1, forKey: .f1)
    }
  }

  /// What an evaluation says beside the scores.
  public struct Details: Codable, Hashable, Sendable {
    /// The classes, in the order of the outputs.
    public var classes: [ClassResult]
    /// How many images of class i (row) were taken for class j (column).
    public var confusion: [[Int]]
    /// How far the probabilities of the first guesses are from how often they are right
    /// (`Reliability.expectedError`); nil without images.
    public var expectedCalibrationError: Double?
  }

  private let classNames: [String]
  private var metrics: ClassificationMetrics
  private var lossSum = 0.0
  private var reliability = Reliability()

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
      let values = outputs[own..<own + classes]
      let best = Softmax.best(values)
      lossSum += Softmax.crossEntropy(values, own: outputs[own + Int(label)])
      reliability.add(confidence: best.probability, isRight: best.index == Int(label))
    }
    metrics.add(scores: outputs, labels: labels)
  }

  /// Takes in what another meter of the same classes has counted.
  public mutating func merge(_ other: ClassificationMeter) {
    metrics.merge(other.metrics)
    lossSum += other.lossSum
    reliability.merge(other.reliability)
  }

  private func mean(_ values: [Double?]) -> Double? {
    let known = values.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// Top-1, top-5, the means over the classes, and the mean cross entropy.
  public func scores() -> Scores {
    let images = Double(max(count, 1))
    return Scores(
      count: count,
      [
        Metric.loss.name: lossSum / images,
        Classification.top1.name: Double(metrics.correct[0]) / images,
        Classification.top5.name: Double(metrics.correct[metrics.correct.count - 1]) / images,
        Classification.balancedAccuracy.name: mean(metrics.confusion.classAccuracies),
        Classification.f1.name: mean(metrics.confusion.classF1),
      ])
  }

  /// The classes one by one, and how often each was taken for each.
  public func details() -> Details {
    let matrix = metrics.confusion
    let (recalls, precisions, f1) = (matrix.classAccuracies, matrix.classPrecisions, matrix.classF1)
    let confusion = classNames.indices.map { row in classNames.indices.map { matrix[row, $0] } }
    return Details(
      classes: classNames.enumerated().map { index, name in
        ClassResult(
          name: name, count: confusion[index].reduce(0, +), correct: confusion[index][index],
          predicted: confusion.reduce(0) { $0 + $1[index] }, precision: precisions[index],
          recall: recalls[index], f1: f1[index])
      }, confusion: confusion, expectedCalibrationError: reliability.expectedError)
  }

  /// Images, precision, recall and F1 of each class, and their means over the classes with images.
  public func tables() -> [ScoreTable] {
    let matrix = metrics.confusion
    let (recalls, precisions, f1) = (matrix.classAccuracies, matrix.classPrecisions, matrix.classF1)
    // A class that is never predicted has no precision of its own; in the mean it counts as none right.
    let counted = recalls.indices.map { recalls[$0] == nil ? nil : precisions[$0] ?? 0 }
    let means: [Double?] = [Double(count), mean(counted), mean(recalls), mean(f1)]
    return [
      ScoreTable(
        columns: [
          Metric("images", direction: .higher, format: .grouped),
          Metric("precision", unit: "%", direction: .higher, format: .percent(decimals: 1)),
          Metric("recall", unit: "%", direction: .higher, format: .percent(decimals: 1)),
          Classification.f1,
        ],
        rows: details().classes.enumerated().map { index, entry in
          ScoreTable.Row(
            entry.name, [Double(entry.count), precisions[index], recalls[index], f1[index]])
        } + [ScoreTable.Row("mean of the classes", means)])
    ]
  }

  /// How often each class was taken for each.
  public func confusion() -> ConfusionTable? {
    ConfusionTable(names: classNames, counts: details().confusion)
  }

  /// Whether the probabilities of the first guesses are to be believed.
  public func charts() -> [ScoreChart] { [reliability.chart(of: "the first guess")] }
}
