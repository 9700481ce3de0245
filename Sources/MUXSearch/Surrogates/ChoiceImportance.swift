// SPDX-License-Identifier: Apache-2.0

/// How much each decision matters for one objective: a functional analysis of variance of first order.
///
/// Each gene gets the mean effect of each of its choices, all genes fitted together (a search tries good
/// choices together, so that plain means would mix them up) and drawn towards 0 where a choice was tried
/// seldom. Its share is the variance of these effects over the networks tried, over the variance of the
/// objective; what no gene explains alone is the rest.
package struct ChoiceImportance: Sendable, Hashable {
  /// For each gene its share, from 0 to 1.
  package let shares: [Double]
  /// What genes do not explain one by one: pairs, and chance.
  package let rest: Double
  /// For each gene the effect of each choice in the objective's natural unit; nil for one never tried.
  package let effects: [[Double?]]

  /// The results below which shares would be chance alone.
  package static let leastResults = 20
  private static let penalty = 1.0
  private static let passes = 50

  /// The importance of genes with so many choices; nil with fewer than ``leastResults`` results, or where
  /// all values are equal.
  package init?(_ genomes: [Genome], values: [Double], choices: [Int]) {
    guard genomes.count == values.count else { return nil }
    var statistics = ChoiceStatistics(choices: choices, objectives: 1)
    for (genome, value) in zip(genomes, values) { statistics.add(genome, values: [value]) }
    self.init(statistics, objective: 0, genes: Array(choices.indices))
  }

  /// The importance of some genes for one objective; nil with fewer than ``leastResults`` results, or where
  /// all values are equal.
  ///
  /// - Parameters:
  ///   - statistics: Of all networks.
  ///   - objective: The objective's place.
  ///   - genes: The places of the genes, those with a choice.
  package init?(_ statistics: ChoiceStatistics, objective: Int, genes: [Int]) {
    let count = Double(statistics.count)
    guard statistics.count >= Self.leastResults else { return nil }
    let variance = statistics.variance(of: objective)
    guard variance > 0, variance.isFinite else { return nil }
    // All choices of these genes, one behind the other.
    let places = genes.map { gene in
      Array(statistics.starts[gene]..<statistics.starts[gene] + statistics.choices[gene])
    }
    let flat = places.flatMap(\.self)
    let first = places.indices.map { places[..<$0].reduce(0) { $0 + $1.count } }
    let together = flat.map { row in flat.map { Double(statistics.pair(row, $0)) } }
    let sums = flat.map { statistics.centered(objective, $0) }
    var all = [Double](repeating: 0, count: flat.count)
    for _ in 0..<Self.passes {
      for gene in places.indices {
        for choice in first[gene]..<first[gene] + places[gene].count {
          let times = together[choice][choice]
          // What the other genes leave over; two choices of one gene never stand together.
          var rest = sums[choice]
          for other in flat.indices where other != choice {
            rest -= together[choice][other] * all[other]
          }
          all[choice] = rest / (times + Self.penalty)
        }
      }
    }
    let effects = places.indices.map { Array(all[first[$0]..<first[$0] + places[$0].count]) }
    let counts = places.map { $0.map { Double(statistics.pair($0, $0)) } }
    var shares = places.indices.map { gene -> Double in
      let total = zip(effects[gene], counts[gene]).reduce(0) { $0 + $1.0 * $1.1 }
      let center = total / count
      return zip(effects[gene], counts[gene]).reduce(0) {
        $0 + ($1.0 - center) * ($1.0 - center) * $1.1
      } / count / variance
    }
    // Choices that are tried together share what they explain; shares never come to more than all.
    let sum = shares.reduce(0, +)
    if sum > 1 { shares = shares.map { $0 / sum } }
    self.shares = shares
    rest = max(0, 1 - sum)
    self.effects = zip(effects, counts).map { zip($0, $1).map { $1 > 0 ? $0 : nil } }
  }
}
