// SPDX-License-Identifier: Apache-2.0

/// How often each class was taken for each class.
public struct ConfusionMatrix: Sendable, Hashable, Codable {
  /// The number of classes, K.
  public let classCount: Int
  /// Row-major [K, K]: rows are true classes, columns predicted ones.
  public private(set) var counts: [Int]

  /// Makes an empty matrix.
  public init(classCount: Int) {
    precondition(classCount > 0, "a confusion matrix has at least one class")
    self.classCount = classCount
    counts = [Int](repeating: 0, count: classCount * classCount)
  }

  /// Counts one prediction.
  public mutating func add(label: Int, prediction: Int) {
    precondition(
      label >= 0 && label < classCount && prediction >= 0 && prediction < classCount,
      "a class lies outside the matrix")
    counts[label * classCount + prediction] += 1
  }

  /// Takes in what another matrix of the same classes has counted.
  public mutating func merge(_ other: ConfusionMatrix) {
    precondition(classCount == other.classCount, "the matrices are of different classes")
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// How often class `label` was taken for class `prediction`.
  public subscript(label: Int, prediction: Int) -> Int { counts[label * classCount + prediction] }

  /// All predictions counted.
  public var total: Int { counts.reduce(0, +) }

  /// The share of right predictions; NaN if none is counted.
  public var accuracy: Double {
    Double((0..<classCount).reduce(0) { $0 + self[$1, $1] }) / Double(total)
  }

  /// The share of each class's samples that are recognised; nil for a class without samples.
  public var classAccuracies: [Double?] {
    (0..<classCount).map { label in
      let all = (0..<classCount).reduce(0) { $0 + self[label, $1] }
      return all == 0 ? nil : Double(self[label, label]) / Double(all)
    }
  }

  /// The share of right ones among the predictions of each class; nil for a class never predicted.
  public var classPrecisions: [Double?] {
    (0..<classCount).map { label in
      let all = (0..<classCount).reduce(0) { $0 + self[$1, label] }
      return all == 0 ? nil : Double(self[label, label]) / Double(all)
    }
  }

  /// F1 of each class, 2·right/(images + predictions); nil for a class without samples. A class that is
  /// never predicted has 0.
  public var classF1: [Double?] {
    (0..<classCount).map { label in
      let images = (0..<classCount).reduce(0) { $0 + self[label, $1] }
      let predictions = (0..<classCount).reduce(0) { $0 + self[$1, label] }
      return images == 0 ? nil : Double(2 * self[label, label]) / Double(images + predictions)
    }
  }

  /// The mean of the classes' accuracies, where each class with samples weighs the same.
  public var balancedAccuracy: Double {
    let known = classAccuracies.compactMap { $0 }
    return known.reduce(0, +) / Double(known.count)
  }
}
