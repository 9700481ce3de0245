// SPDX-License-Identifier: Apache-2.0

/// Top-k accuracies and the confusion matrix of scores that come batch by batch.
public struct ClassificationMetrics: Sendable, Hashable, Codable {
  /// The values of k, ascending.
  public let topK: [Int]
  /// Samples whose label was among the k best, one number for each value of k.
  public private(set) var correct: [Int]
  /// Samples counted.
  public private(set) var count: Int
  /// How often each class was taken for each class.
  public private(set) var confusion: ConfusionMatrix

  /// Makes empty metrics; values of k above the number of classes are left out.
  public init(classCount: Int, topK: [Int] = [1, 5]) {
    precondition(topK.allSatisfy { $0 > 0 }, "k must be positive")
    self.topK = Set(topK).filter { $0 <= classCount }.sorted()
    correct = [Int](repeating: 0, count: self.topK.count)
    count = 0
    confusion = ConfusionMatrix(classCount: classCount)
  }

  /// Counts a batch.
  ///
  /// Of equal scores the class of the lower index comes first; a score that is not a number comes
  /// last.
  /// - Parameters:
  ///   - scores: Logits or probabilities [N, K], row by row.
  ///   - labels: The true classes [N].
  public mutating func add(scores: [Float], labels: [Int64]) {
    let classes = confusion.classCount
    precondition(
      scores.count == labels.count * classes, "the scores must be [N, K] for N labels")
    scores.withUnsafeBufferPointer { scores in
      for (row, label) in labels.enumerated() {
        let label = Int(label)
        precondition(label >= 0 && label < classes, "a label lies outside the classes")
        let own = scores[row * classes + label]
        var rank = 0
        var best = 0
        var bestScore = -Float.infinity
        var hasBest = false
        for other in 0..<classes {
          let score = scores[row * classes + other]
          if score > own || (score == own && other < label) || (own.isNaN && !score.isNaN)
            || (own.isNaN && score.isNaN && other < label)
          {
            rank += 1
          }
          if !score.isNaN && (!hasBest || score > bestScore) {
            best = other
            bestScore = score
            hasBest = true
          }
        }
        for (index, k) in topK.enumerated() where rank < k { correct[index] += 1 }
        confusion.add(label: label, prediction: best)
        count += 1
      }
    }
  }

  /// Takes in what other metrics of the same classes and values of k have counted.
  public mutating func merge(_ other: ClassificationMetrics) {
    precondition(topK == other.topK, "the metrics count other values of k")
    for index in correct.indices { correct[index] += other.correct[index] }
    count += other.count
    confusion.merge(other.confusion)
  }

  /// The share of samples whose label is among the k best scores; nil if k is not counted, NaN
  /// before the first sample.
  public func accuracy(top k: Int = 1) -> Double? {
    topK.firstIndex(of: k).map { Double(correct[$0]) / Double(count) }
  }

  /// The classes of the k best scores of one sample, best first, with their scores.
  public static func best(_ k: Int, of scores: [Float]) -> [(index: Int, score: Float)] {
    scores.enumerated()
      .sorted { a, b in
        if a.element.isNaN != b.element.isNaN { return b.element.isNaN }
        return a.element != b.element && !a.element.isNaN
          ? a.element > b.element : a.offset < b.offset
      }
      .prefix(k).map { (index: $0.offset, score: $0.element) }
  }
}
