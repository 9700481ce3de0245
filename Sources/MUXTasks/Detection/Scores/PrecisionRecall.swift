// SPDX-License-Identifier: Apache-2.0

/// How precision falls as recall rises, over the detections of one class from the greatest score down.
public struct PrecisionRecall: Sendable, Hashable {
  /// Objects that must be found.
  public let objects: Int
  /// The scores of the detections, ignored ones left out, from the greatest down.
  public let scores: [Double]
  /// The share of objects found with each detection.
  public let recalls: [Double]
  /// The share of detections that found one.
  public let precisions: [Double]

  /// The curve of detections with their verdicts; equal scores stand in the order given.
  public init(scores: [Double], verdicts: [DetectionVerdict], objects: Int) {
    precondition(scores.count == verdicts.count, "a verdict for each detection")
    self.objects = objects
    var (hits, misses) = (0, 0)
    var own: [Double] = []
    var recalls: [Double] = []
    var precisions: [Double] = []
    for index in scores.orderOfFallingValues() where verdicts[index] != .ignored {
      if verdicts[index] == .hit { hits += 1 } else { misses += 1 }
      own.append(scores[index])
      recalls.append(objects > 0 ? Double(hits) / Double(objects) : 0)
      precisions.append(Double(hits) / Double(hits + misses))
    }
    self.scores = own
    self.recalls = recalls
    self.precisions = precisions
  }

  /// The greatest precision at a recall or any higher one; 0 where it is not reached.
  public func precision(atRecall recall: Double) -> Double {
    envelope([recall])[0]
  }

  /// The greatest precisions at recalls of 0, 1/n … 1 or any higher ones: the curve to draw.
  public func curve(intervals: Int = 100) -> [Double] {
    envelope((0...max(intervals, 1)).map { Double($0) / Double(max(intervals, 1)) })
  }

  /// The mean of the precisions at recalls 0, 0.1 … 1: PASCAL VOC's measure until 2009. Nil without
  /// objects.
  public var elevenPoint: Double? {
    objects > 0 ? curve(intervals: 10).reduce(0, +) / 11 : nil
  }

  /// The area below the curve, made to fall only: PASCAL VOC's measure from 2010 on. Nil without objects.
  public var area: Double? {
    guard objects > 0 else { return nil }
    var sum = 0.0
    var best = 0.0
    for index in recalls.indices.reversed() {
      best = max(best, precisions[index])
      sum += (recalls[index] - (index > 0 ? recalls[index - 1] : 0)) * best
    }
    return sum
  }

  /// The score from which on F1 is greatest, the highest of equals, with its F1. Nil without hits.
  public var best: (score: Double, f1: Double)? {
    var best: (score: Double, f1: Double)?
    for index in scores.indices {
      // Of equal scores all are taken or none.
      if index + 1 < scores.count, scores[index + 1] == scores[index] { continue }
      let (recall, precision) = (recalls[index], precisions[index])
      guard recall > 0 else { continue }
      let f1 = 2 * recall * precision / (recall + precision)
      if f1 > best?.f1 ?? 0 { best = (scores[index], f1) }
    }
    return best
  }

  /// The greatest precisions at ascending recalls or any higher ones.
  private func envelope(_ wanted: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: wanted.count)
    var index = recalls.count - 1
    var best = 0.0
    for place in wanted.indices.reversed() {
      while index >= 0, recalls[index] >= wanted[place] {
        best = max(best, precisions[index])
        index -= 1
      }
      result[place] = best
    }
    return result
  }
}
