// SPDX-License-Identifier: Apache-2.0

/// The loss of a detector, in plain Swift: the cross entropy of the default boxes that have an object and
/// of the hardest of the others, and the smooth L1 distance of the offsets of the former. What evaluations
/// show, and what the training's own computation is tested against.
///
/// Both sums are divided by the number of default boxes with an object in all images, at least 1: images
/// without objects add nothing, and alone they give 0.
public struct MultiBoxLoss: Sendable, Hashable, Codable {
  /// The sum of the cross entropies.
  public private(set) var classificationSum = 0.0
  /// The sum of the distances.
  public private(set) var boxSum = 0.0
  /// Default boxes with an object.
  public private(set) var positives = 0
  /// Default boxes without one that were taken.
  public private(set) var negatives = 0

  /// Nothing counted yet.
  public init() {}

  /// The part of the classes.
  public var classification: Double { classificationSum / Double(max(positives, 1)) }
  /// The part of the boxes.
  public var box: Double { boxSum / Double(max(positives, 1)) }
  /// Both.
  public var total: Double { classification + box }

  /// Adds an image.
  ///
  /// - Parameters:
  ///   - logits: [default boxes, classes with the background first].
  ///   - offsets: [default boxes, 4].
  ///   - targets: What they should be.
  ///   - ratio: Negatives for each positive.
  public mutating func add(
    logits: [Float], offsets: [Float], targets: DetectionTargets,
    ratio: Int = HardNegatives.usualRatio
  ) {
    let found = targets.positives
    guard found > 0 else { return }
    let classes = logits.count / targets.labels.count
    func crossEntropy(_ index: Int, _ label: Int) -> Double {
      let row = logits[index * classes..<(index + 1) * classes]
      return Softmax.crossEntropy(row, own: row[row.startIndex + label])
    }
    let isPositive = targets.labels.map { $0 > 0 }
    let losses = isPositive.indices.map { isPositive[$0] ? 0 : Float(crossEntropy($0, 0)) }
    let chosen = HardNegatives.chosen(losses: losses, isPositive: isPositive, ratio: ratio)
    for (index, label) in targets.labels.enumerated() {
      if label > 0 {
        classificationSum += crossEntropy(index, label)
        for place in 4 * index..<4 * index + 4 {
          boxSum += Self.smoothL1(Double(offsets[place]) - Double(targets.offsets[place]))
        }
      } else if chosen[index] {
        classificationSum += Double(losses[index])
        negatives += 1
      }
    }
    positives += found
  }

  /// Takes in what another has counted.
  public mutating func merge(_ other: MultiBoxLoss) {
    classificationSum += other.classificationSum
    boxSum += other.boxSum
    positives += other.positives
    negatives += other.negatives
  }

  private static func smoothL1(_ difference: Double) -> Double {
    let size = abs(difference)
    return size < 1 ? 0.5 * size * size : size - 0.5
  }
}
