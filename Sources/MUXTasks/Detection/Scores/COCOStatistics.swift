// SPDX-License-Identifier: Apache-2.0

/// COCO's twelve statistics; nil where no class has an object of the size.
public struct COCOStatistics: Sendable, Hashable, Codable {
  /// Average precision, the mean over least overlaps of 0.50, 0.55 … 0.95.
  public var averagePrecision: Double?
  /// At a least overlap of 0.50.
  public var averagePrecision50: Double?
  /// At a least overlap of 0.75.
  public var averagePrecision75: Double?
  /// For objects of up to 32² pixels.
  public var averagePrecisionSmall: Double?
  /// For objects of 32² to 96² pixels.
  public var averagePrecisionMedium: Double?
  /// For objects of 96² pixels and more.
  public var averagePrecisionLarge: Double?
  /// Average recall with one detection of a class in an image.
  public var averageRecall1: Double?
  /// With ten.
  public var averageRecall10: Double?
  /// With a hundred.
  public var averageRecall100: Double?
  /// For objects of up to 32² pixels.
  public var averageRecallSmall: Double?
  /// For objects of 32² to 96² pixels.
  public var averageRecallMedium: Double?
  /// For objects of 96² pixels and more.
  public var averageRecallLarge: Double?

  init(_ classes: [COCOMatches]) {
    func mean(
      _ area: Int, _ value: ([(precision: Double, recall: Double)]) -> Double,
      limit: Int = COCOMatches.limit
    ) -> Double? {
      let known = classes.compactMap { $0.results(area: area, limit: limit).map(value) }
      return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }
    func precision(_ results: [(precision: Double, recall: Double)]) -> Double {
      results.reduce(0) { $0 + $1.precision } / Double(results.count)
    }
    func recall(_ results: [(precision: Double, recall: Double)]) -> Double {
      results.reduce(0) { $0 + $1.recall } / Double(results.count)
    }
    averagePrecision = mean(0, precision)
    averagePrecision50 = mean(0, { $0[0].precision })
    averagePrecision75 = mean(0, { $0[5].precision })
    averagePrecisionSmall = mean(1, precision)
    averagePrecisionMedium = mean(2, precision)
    averagePrecisionLarge = mean(3, precision)
    averageRecall1 = mean(0, recall, limit: 1)
    averageRecall10 = mean(0, recall, limit: 10)
    averageRecall100 = mean(0, recall)
    averageRecallSmall = mean(1, recall)
    averageRecallMedium = mean(2, recall)
    averageRecallLarge = mean(3, recall)
  }

  /// The statistics with the names that COCO's own program prints.
  public var named: [(name: String, value: Double?)] {
    [
      ("AP", averagePrecision), ("AP50", averagePrecision50), ("AP75", averagePrecision75),
      ("APsmall", averagePrecisionSmall), ("APmedium", averagePrecisionMedium),
      ("APlarge", averagePrecisionLarge), ("AR1", averageRecall1), ("AR10", averageRecall10),
      ("AR100", averageRecall100), ("ARsmall", averageRecallSmall),
      ("ARmedium", averageRecallMedium), ("ARlarge", averageRecallLarge),
    ]
  }
}
