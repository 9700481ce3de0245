// SPDX-License-Identifier: Apache-2.0

/// How much each decision matters for one objective: a functional analysis of variance of first order.
///
/// Each gene gets the mean effect of each of its choices, all genes fitted together (a search tries good
/// choices together, so that plain means would mix them up) and drawn towards 0 where a choice was tried
/// seldom. Its share is the variance of these effects over the networks tried, over the variance of the
/// objective; what no gene explains alone is the rest.
public struct ChoiceImportance: Sendable, Hashable {
  /// For each gene its share, from 0 to 1.
  public let shares: [Double]
  /// What genes do not explain one by one: pairs, and chance.
  public let rest: Double
  /// For each gene the effect of each choice in the objective's natural unit; nil for one never tried.
  public let effects: [[Double?]]

  /// The results below which shares would be chance alone.
  public static let leastResults = 20
  private static let penalty = 1.0
  private static let passes = 50

  /// The importance of genes with so many choices; nil with fewer than ``leastResults`` results, or where
  /// all values are equal.
  public init?(_ genomes: [Genome], values: [Double], choices: [Int]) {
    let count = Double(genomes.count)
    guard genomes.count >= Self.leastResults, genomes.count == values.count else { return nil }
    let mean = values.reduce(0, +) / count
    var residuals = values.map { $0 - mean }
    let variance = residuals.reduce(0) { $0 + $1 * $1 } / count
    guard variance > 0, variance.isFinite else { return nil }
    var effects = choices.map { [Double](repeating: 0, count: $0) }
    var counts = choices.map { [Double](repeating: 0, count: $0) }
    for genome in genomes {
      for (gene, value) in genome.values.enumerated() { counts[gene][value] += 1 }
    }
    for _ in 0..<Self.passes {
      for gene in choices.indices {
        var sums = [Double](repeating: 0, count: choices[gene])
        for (place, genome) in genomes.enumerated() { sums[genome[gene]] += residuals[place] }
        for choice in sums.indices {
          let old = effects[gene][choice]
          let all = sums[choice] + counts[gene][choice] * old
          effects[gene][choice] = all / (counts[gene][choice] + Self.penalty)
          sums[choice] = effects[gene][choice] - old
        }
        for (place, genome) in genomes.enumerated() { residuals[place] -= sums[genome[gene]] }
      }
    }
    var shares = choices.indices.map { gene -> Double in
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
