// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Drawing with replacement (the bootstrap), by which the uncertainty of scores is told.
///
/// Whole groups are drawn, such as patients with all their images: images of one group are alike, and
/// drawing them one by one would make the intervals too narrow.
public struct Resampling: Sendable, Hashable {
  /// How many times as many groups as there are are drawn.
  public var draws: Int
  /// The share of the draws that an interval holds.
  public var confidence = 0.95
  /// Another seed, other draws.
  public var seed: UInt64 = 0

  /// So many draws, 95 % of which intervals hold.
  public init(draws: Int = 1000) {
    precondition(draws > 0, "intervals need a draw")
    self.draws = draws
  }

  /// How often each of so many groups comes up in a draw.
  func counts(groups: Int, draw: Int) -> [Int] {
    var random = RandomStream(seed: seed, purpose: .resampling, indices: UInt64(draw))
    var counts = [Int](repeating: 0, count: groups)
    for _ in 0..<groups { counts[random.below(groups)] += 1 }
    return counts
  }
}

extension RandomStream.Purpose {
  /// The draws of intervals.
  static let resampling = Self(rawValue: 11)
}

/// Between which values scores lie in most draws.
public struct ScoreIntervals: Codable, Hashable, Sendable {
  /// From here to there.
  public struct Interval: Codable, Hashable, Sendable {
    /// The lower end.
    public var lower: Double
    /// The upper end.
    public var upper: Double

    /// The part of some values in the middle that has a share of them, ends interpolated; nil without a
    /// value.
    package init?(_ values: [Double], confidence: Double) {
      let quantiles = Quantiles(values)
      guard let lower = quantiles.linear((1 - confidence) / 2),
        let upper = quantiles.linear((1 + confidence) / 2)
      else { return nil }
      (self.lower, self.upper) = (lower, upper)
    }
  }

  /// A class and its interval; nil where the score is undefined.
  public struct ClassInterval: Codable, Hashable, Sendable {
    /// The class.
    public var name: String
    /// The interval of its score; nil where the score is undefined.
    public var interval: Interval?
  }

  /// The metric that the intervals are of, such as `auroc`.
  public var metric: String
  /// How often the groups were drawn anew, with replacement.
  public var draws: Int
  /// The groups that were drawn, such as patients; images where they have no groups.
  public var groups: Int
  /// The share of the draws within.
  public var confidence: Double
  /// That of the score over all classes.
  public var all: Interval?
  /// Those of the classes, in the order of the outputs.
  public var classes: [ClassInterval]
}

extension ScoreIntervals {
  /// The classes in rows, with both ends of their intervals.
  public var table: ScoreTable {
    func column(_ name: String) -> Metric {
      Metric(name, direction: .higher, format: .fixed(decimals: 4))
    }
    return ScoreTable(
      columns: [column("\(metric) from"), column("to")],
      rows: classes.map { .init($0.name, [$0.interval?.lower, $0.interval?.upper]) })
  }
}
