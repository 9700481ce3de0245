// SPDX-License-Identifier: Apache-2.0

/// Images ranked by one class's outputs, for areas under the ROC curve in which each image counts several
/// times or not at all.
struct RankedImages {
  /// The images, least output first.
  private let order: [Int]
  /// Whether an image of `order` has the output of the one before it.
  private let isTied: [Bool]
  private let isPositive: [Bool]

  /// Ranks outputs, of which none is not a number.
  init(outputs: [Float], truths: [Bool]) {
    let order = outputs.indices.sorted { outputs[$0] < outputs[$1] }
    self.order = order
    isTied = order.indices.map { $0 > 0 && outputs[order[$0]] == outputs[order[$0 - 1]] }
    isPositive = order.map { truths[$0] }
  }

  /// The area where each image counts so many times; nil where all that count have one value.
  func areaUnderROC(weights: [Int]) -> Double? {
    // Half pairs, so that the sum is exact.
    var (positives, negatives, halfPairs) = (0, 0, 0)
    var (tiedPositives, tiedNegatives) = (0, 0)
    func pairs() -> Int { tiedPositives * (2 * negatives + tiedNegatives) }
    for place in order.indices {
      let weight = weights[order[place]]
      if !isTied[place] {
        halfPairs += pairs()
        positives += tiedPositives
        negatives += tiedNegatives
        (tiedPositives, tiedNegatives) = (0, 0)
      }
      if isPositive[place] { tiedPositives += weight } else { tiedNegatives += weight }
    }
    halfPairs += pairs()
    positives += tiedPositives
    negatives += tiedNegatives
    guard positives > 0, negatives > 0 else { return nil }
    return Double(halfPairs) / (2 * Double(positives) * Double(negatives))
  }
}

/// The areas under the ROC curves of several classes over draws of groups.
package struct ResampledROC {
  private let ranked: [RankedImages]
  /// The group of each image, from 0.
  private let groups: [Int]
  package let groupCount: Int

  /// - Parameters:
  ///   - outcomes: One for each class, with the images in the same order.
  ///   - groups: The group of each image, from 0.
  package init(_ outcomes: [RankedOutcomes], groups: [Int]) {
    ranked = outcomes.map(\.ranked)
    self.groups = groups
    groupCount = (groups.max() ?? -1) + 1
  }

  /// The area of each class where the groups count so many times.
  package func areas(counts: [Int]) -> [Double?] {
    let weights = groups.map { counts[$0] }
    return ranked.map { $0.areaUnderROC(weights: weights) }
  }

  /// The intervals of all classes and of their mean, in each draw over the classes that it has.
  func intervals(_ resampling: Resampling, classNames: [String]) -> ScoreIntervals {
    var means: [Double] = []
    var areas = [[Double]](repeating: [], count: classNames.count)
    for draw in 0..<resampling.draws {
      let values = self.areas(counts: resampling.counts(groups: groupCount, draw: draw))
      for (label, value) in values.enumerated() {
        if let value { areas[label].append(value) }
      }
      let known = values.compactMap { $0 }
      if !known.isEmpty { means.append(known.reduce(0, +) / Double(known.count)) }
    }
    let confidence = resampling.confidence
    return ScoreIntervals(
      metric: MultiLabel.auroc.name, draws: resampling.draws, groups: groupCount,
      confidence: confidence,
      all: ScoreIntervals.Interval(means, confidence: confidence),
      classes: zip(classNames, areas).map {
        .init(name: $0, interval: .init($1, confidence: confidence))
      })
  }
}

/// The ROC curve of one class, thinned to what a picture can show.
public struct ROCCurve: Codable, Hashable, Sendable {
  /// The share of negative images that reach the threshold, from 0 to 1.
  public var falsePositiveRates: [Double]
  /// The share of positive images that do.
  public var truePositiveRates: [Double]
  /// The probability from which on images count as of the class; nil before the first image.
  public var thresholds: [Double?]

  /// The points of the curve, for a chart.
  var points: [ScoreChart.Point] {
    zip(falsePositiveRates, truePositiveRates).map { ScoreChart.Point(x: $0, y: $1) }
  }
}
