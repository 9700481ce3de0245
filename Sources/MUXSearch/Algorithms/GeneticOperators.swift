// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How genomes are crossed and mutated. All operators work on whole numbers; genes whose choices are
/// mere names are only exchanged and drawn anew.
public struct GeneticOperators: Sendable, Hashable, Codable {
  /// How two genomes are crossed.
  public enum Crossover: Sendable, Hashable, Codable {
    /// Each gene from either parent.
    case uniform
    /// The genes between two cuts from the other parent.
    case twoPoint
    /// Simulated binary crossover with its distribution index, rounded (Deb and Agrawal 1995).
    case simulatedBinary(index: Double)
  }

  /// How one gene is changed.
  public enum Mutation: Sendable, Hashable, Codable {
    /// Another choice, all equally likely.
    case resample
    /// Polynomial mutation with its distribution index, rounded; draws anew if nothing changes.
    case polynomial(index: Double)
  }

  /// How two genomes are crossed.
  public var crossover: Crossover
  /// How often parents are crossed at all.
  public var crossoverRate: Double
  /// How one gene is changed.
  public var mutation: Mutation
  /// The chance of each gene, nil for one gene in the mean.
  public var mutationRate: Double?

  /// Uniform crossover and resampling unless given.
  public init(
    crossover: Crossover = .uniform, crossoverRate: Double = 0.9, mutation: Mutation = .resample,
    mutationRate: Double? = nil
  ) {
    self.crossover = crossover
    self.crossoverRate = crossoverRate
    self.mutation = mutation
    self.mutationRate = mutationRate
  }

  /// A child of two genomes.
  package func child(
    _ first: Genome, _ second: Genome, _ genes: [Gene], _ random: inout SearchRandom
  ) -> Genome {
    var child = first
    if random.uniform() < crossoverRate { cross(&child, second, genes, &random) }
    mutate(&child, genes, &random)
    return child
  }

  /// Changes some genes.
  package func mutate(_ genome: inout Genome, _ genes: [Gene], _ random: inout SearchRandom) {
    let rate = mutationRate ?? 1 / Double(genes.count)
    for index in genes.indices where genes[index].choices > 1 && random.uniform() < rate {
      genome.values[index] = mutated(genome.values[index], genes[index], &random)
    }
  }

  private func mutated(_ value: Int, _ gene: Gene, _ random: inout SearchRandom) -> Int {
    if case .polynomial(let index) = mutation, gene.isOrdered {
      let moved = Self.polynomial(value, gene.choices, index, &random)
      if moved != value { return moved }
    }
    let other = random.below(gene.choices - 1)
    return other < value ? other : other + 1
  }

  private func cross(
    _ child: inout Genome, _ other: Genome, _ genes: [Gene], _ random: inout SearchRandom
  ) {
    switch crossover {
    case .uniform:
      var bits: UInt64 = 0
      for index in genes.indices {
        if index & 63 == 0 { bits = random.next() }
        if bits & 1 == 1 { child.values[index] = other.values[index] }
        bits >>= 1
      }
    case .twoPoint:
      let a = random.below(genes.count + 1)
      let b = random.below(genes.count + 1)
      for index in min(a, b)..<max(a, b) { child.values[index] = other.values[index] }
    case .simulatedBinary(let eta):
      for index in genes.indices where random.uniform() < 0.5 {
        child.values[index] = Self.binary(
          child.values[index], other.values[index], genes[index], eta, &random)
      }
    }
  }

  /// One child of bounded simulated binary crossover of two choices, rounded.
  private static func binary(
    _ a: Int, _ b: Int, _ gene: Gene, _ eta: Double, _ random: inout SearchRandom
  ) -> Int {
    guard gene.isOrdered else { return random.next() & 1 == 0 ? a : b }
    guard a != b else { return a }
    let low = Double(min(a, b))
    let high = Double(max(a, b))
    let upper = Double(gene.choices - 1)
    let takesLow = random.next() & 1 == 0
    let beta = 1 + 2 * (takesLow ? low : upper - high) / (high - low)
    let alpha = 2 - pow(beta, -(eta + 1))
    let u = random.uniform()
    let spread =
      u <= 1 / alpha ? pow(u * alpha, 1 / (eta + 1)) : pow(1 / (2 - u * alpha), 1 / (eta + 1))
    let centre = (low + high) / 2
    let child = takesLow ? centre - spread * (high - low) / 2 : centre + spread * (high - low) / 2
    return Int(min(max(child, 0), upper).rounded())
  }

  /// Bounded polynomial mutation of a choice, rounded.
  private static func polynomial(
    _ value: Int, _ choices: Int, _ eta: Double, _ random: inout SearchRandom
  ) -> Int {
    let upper = Double(choices - 1)
    let x = Double(value)
    let r = random.uniform()
    let power = 1 / (eta + 1)
    let shift: Double
    if r <= 0.5 {
      shift = pow(2 * r + (1 - 2 * r) * pow(1 - x / upper, eta + 1), power) - 1
    } else {
      let rest = 2 * (1 - r) + 2 * (r - 0.5) * pow(1 - (upper - x) / upper, eta + 1)
      shift = 1 - pow(rest, power)
    }
    return Int(min(max(x + shift * upper, 0), upper).rounded())
  }
}
