// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The differences of two measurements that belong together in pairs, such as two networks that were
/// trained with the same seeds: their mean, an interval of it, and how likely chance makes it as large.
package struct PairedGain: Sendable, Hashable {
  /// The difference of each pair.
  package let differences: [Double]
  package let mean: Double
  /// Where the means of 95 % of draws with replacement lie (the percentile bootstrap).
  package let interval: ClosedRange<Double>
  /// The share of all ways to swap the two of a pair in which the mean is at least as large: the one-sided
  /// test of "the first is not better", exact up to 16 pairs. With n pairs it is never below 2⁻ⁿ.
  package let probability: Double

  private static let draws = 10_000
  private static let mostExact = 16

  /// The gain of differences; nil where there are none.
  package init?(_ differences: [Double]) {
    guard !differences.isEmpty else { return nil }
    self.differences = differences
    let count = differences.count
    let mean = differences.reduce(0, +) / Double(count)
    self.mean = mean
    var random = RandomStream(seed: 0, purpose: .init(rawValue: 2020))
    let means = (0..<Self.draws).map { _ in
      (0..<count).reduce(0.0) { sum, _ in
        sum + differences[Int.random(in: 0..<count, using: &random)]
      }
        / Double(count)
    }.sorted()
    interval = means[Self.draws * 25 / 1000]...means[Self.draws * 975 / 1000 - 1]
    // Sums in another order differ by rounding, which must not decide.
    let least = mean * Double(count) - 1e-9 * differences.reduce(0) { $0 + abs($1) }
    func isAsLarge(_ signs: UInt64) -> Bool {
      differences.indices.reduce(0.0) {
        $0 + (signs >> UInt64($1 % 64) & 1 == 0 ? differences[$1] : -differences[$1])
      } >= least
    }
    if count <= Self.mostExact {
      let ways = 1 << count
      probability = Double((0..<ways).count { isAsLarge(UInt64($0)) }) / Double(ways)
    } else {
      // What was measured is one of the ways.
      let found = (0..<Self.draws).count { _ in isAsLarge(random.next()) }
      probability = Double(found + 1) / Double(Self.draws + 1)
    }
  }
}
