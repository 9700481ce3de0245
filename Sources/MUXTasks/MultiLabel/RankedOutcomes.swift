// SPDX-License-Identifier: Apache-2.0

/// The outputs of one class with the truth about each image, and what follows from their order.
///
/// The outputs are ranked as they are, before the sigmoid, which makes equal in single precision what
/// is not. One that is not a number ranks below all others.
package struct RankedOutcomes: Sendable, Hashable, Codable {
  private var outputs: [Float] = []
  private var truths: [Bool] = []

  /// Nothing counted yet.
  package init() {}

  /// Counts one image.
  package mutating func add(_ output: Float, isPositive: Bool) {
    outputs.append(output.isNaN ? -.infinity : output)
    truths.append(isPositive)
  }

  /// Takes in what another has counted.
  package mutating func merge(_ other: RankedOutcomes) {
    outputs += other.outputs
    truths += other.truths
  }

  /// The images in the order of their outputs, for draws of them.
  var ranked: RankedImages { RankedImages(outputs: outputs, truths: truths) }

  /// Images that are of the class.
  package var positives: Int { truths.count { $0 } }
  /// Images that are not.
  package var negatives: Int { truths.count { !$0 } }

  /// Images of one output.
  private struct Tie {
    var output: Float
    var positives = 0
    var negatives = 0
  }

  /// The images by output, greatest first, those of equal outputs together.
  private func ties() -> [Tie] {
    var ties: [Tie] = []
    for index in outputs.indices.sorted(by: { outputs[$0] > outputs[$1] }) {
      if ties.last?.output != outputs[index] { ties.append(Tie(output: outputs[index])) }
      if truths[index] {
        ties[ties.count - 1].positives += 1
      } else {
        ties[ties.count - 1].negatives += 1
      }
    }
    return ties
  }

  /// The area under the ROC curve: the probability that a positive image has a greater output than a
  /// negative one, where equal outputs count half. Nil where all images have one value.
  package func areaUnderROC() -> Double? {
    let (positives, negatives) = (positives, negatives)
    guard positives > 0, negatives > 0 else { return nil }
    // Half pairs, so that the sum is exact.
    var below = negatives
    var halfPairs = 0
    for tie in ties() {
      below -= tie.negatives
      halfPairs += tie.positives * (2 * below + tie.negatives)
    }
    return Double(halfPairs) / (2 * Double(positives) * Double(negatives))
  }

  /// The ROC curve from (0, 0) to (1, 1) with at most about so many points, evenly along it. Nil where all
  /// images have one value.
  package func curve(points: Int = 101) -> ROCCurve? {
    let (positives, negatives) = (positives, negatives)
    guard positives > 0, negatives > 0, points > 1 else { return nil }
    var curve = ROCCurve(falsePositiveRates: [0], truePositiveRates: [0], thresholds: [nil])
    var (found, alarms, kept) = (0, 0, 0)
    let ties = ties()
    for (place, tie) in ties.enumerated() {
      found += tie.positives
      alarms += tie.negatives
      let x = Double(alarms) / Double(negatives)
      let y = Double(found) / Double(positives)
      // The way along the curve, of length 2, in as many steps as there are to be points.
      let step = Int((x + y) / 2 * Double(points - 1))
      guard step > kept || place == ties.count - 1 else { continue }
      kept = step
      curve.falsePositiveRates.append(x)
      curve.truePositiveRates.append(y)
      curve.thresholds.append(Sigmoid.probability(Double(tie.output)))
    }
    return curve
  }

  /// The average precision Σ (Rₙ − Rₙ₋₁) Pₙ over the thresholds, without interpolation. Nil without
  /// positive images.
  package func averagePrecision() -> Double? {
    let positives = positives
    guard positives > 0 else { return nil }
    var (found, taken, sum) = (0, 0, 0.0)
    for tie in ties() {
      found += tie.positives
      taken += tie.positives + tie.negatives
      sum += Double(tie.positives) * (Double(found) / Double(taken))
    }
    return sum / Double(positives)
  }

  /// F1 where an image is said to be of the class from a probability on. Nil where neither an image
  /// nor a prediction is positive.
  package func f1(threshold: Double) -> Double? {
    var (hits, misses, alarms) = (0, 0, 0)
    for (output, isPositive) in zip(outputs, truths) {
      switch (Sigmoid.probability(Double(output)) >= threshold, isPositive) {
      case (true, true): hits += 1
      case (true, false): alarms += 1
      case (false, true): misses += 1
      case (false, false): break
      }
    }
    let total = 2 * hits + misses + alarms
    return total == 0 ? nil : 2 * Double(hits) / Double(total)
  }

  /// The probability from which on F1 is greatest, the highest of equals, with its F1. Nil without
  /// positive images.
  package func bestThreshold() -> (threshold: Double, f1: Double)? {
    let positives = positives
    guard positives > 0 else { return nil }
    var best: (threshold: Double, f1: Double)?
    var (hits, taken) = (0, 0)
    for tie in ties() {
      hits += tie.positives
      taken += tie.positives + tie.negatives
      let f1 = 2 * Double(hits) / Double(taken + positives)
      if f1 > best?.f1 ?? -1 { best = (Sigmoid.probability(Double(tie.output)), f1) }
    }
    return best
  }
}
