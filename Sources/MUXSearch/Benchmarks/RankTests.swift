// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Wilcoxon's two tests, with ties and the normal approximation (good from about 10 runs on).
public enum RankTests {
  /// The rank-sum test (Mann-Whitney): the two-sided p of two independent samples coming from one
  /// distribution; 1 if there is nothing to tell them apart by.
  public static func rankSum(_ first: [Double], _ second: [Double]) -> Double {
    let (ranks, ties) = ranks(of: first + second)
    let n = Double(first.count)
    let m = Double(second.count)
    let sum = ranks.prefix(first.count).reduce(0, +)
    let mean = n * (n + m + 1) / 2
    let total = n + m
    guard n > 0, m > 0, total > 1 else { return 1 }
    let variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return probability(sum - mean, variance)
  }

  /// The signed-rank test: the two-sided p of paired samples differing by nothing but chance. Pairs
  /// without difference are left out, as Wilcoxon did.
  public static func signedRank(_ first: [Double], _ second: [Double]) -> Double {
    let differences = zip(first, second).map { $0 - $1 }.filter { $0 != 0 }
    let (ranks, ties) = ranks(of: differences.map { abs($0) })
    let n = Double(differences.count)
    guard n > 0 else { return 1 }
    let sum = zip(differences, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
    let variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    return probability(sum - n * (n + 1) / 4, variance)
  }

  /// The ranks from 1, equal values sharing theirs, and Σ (t³ − t) over groups of t equal values.
  static func ranks(of values: [Double]) -> (ranks: [Double], ties: Double) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var ties = 0.0
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
      let size = Double(end - start)
      ties += size * size * size - size
      start = end
    }
    return (ranks, ties)
  }

  /// The two-sided normal p of a deviation, with correction for continuity.
  private static func probability(_ deviation: Double, _ variance: Double) -> Double {
    guard variance > 0 else { return 1 }
    let z = max(0, abs(deviation) - 0.5) / variance.squareRoot()
    return min(1, erfc(z / 2.0.squareRoot()))
  }
}
