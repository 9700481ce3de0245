// SPDX-License-Identifier: Apache-2.0

/// What an algorithm needs to know of a search space.
public protocol SearchDomain: Sendable {
  /// The decisions.
  var genes: [Gene] { get }

  /// The canonical form of a genome: repaired where it is not valid, and the same for all genomes
  /// that describe one network. Nil where it cannot be repaired or breaks a constraint that is known
  /// without evaluation (parameters, multiply-adds).
  func canonical(_ genome: Genome) -> Genome?

  /// The key of a canonical genome: equal keys are the same network.
  func key(of canonical: Genome) -> ArchitectureKey

  /// The objectives of a canonical genome that are known without evaluation, in natural units, NaN
  /// for the others; nil if none is known. Sizes and multiply-adds follow from the network alone.
  func knownObjectives(of canonical: Genome) -> [Double]?

  /// Whether there are limits that have to be measured (latency).
  var hasMeasuredLimits: Bool { get }

  /// Whether a new canonical genome keeps the limits that have to be measured. It may take long, and
  /// is asked once for each network, right before the network would be evaluated; never by
  /// ``SearchAlgorithm/next(given:)``.
  func admits(_ canonical: Genome) -> Bool

  /// A genome that keeps all limits if any does, nil where there are none. A search that finds only
  /// networks over a limit turns towards it.
  var cheapest: Genome? { get }
}

extension SearchDomain {
  /// Every genome is valid and its own form.
  public func canonical(_ genome: Genome) -> Genome? { genome }

  /// The exact number of the genome, or a hash of it in large spaces.
  public func key(of canonical: Genome) -> ArchitectureKey {
    ArchitectureKey(canonical, genes: genes)
  }

  /// Nothing is known.
  public func knownObjectives(of canonical: Genome) -> [Double]? { nil }

  /// There are none.
  public var hasMeasuredLimits: Bool { false }

  /// Every network may be asked for.
  public func admits(_ canonical: Genome) -> Bool { true }

  /// There are no limits.
  public var cheapest: Genome? { nil }

  /// The number of genomes, nil above 2⁶³.
  public var genomeCount: Int? {
    var count = 1
    for gene in genes {
      let product = count.multipliedReportingOverflow(by: gene.choices)
      if product.overflow { return nil }
      count = product.partialValue
    }
    return count
  }

  /// The genome of a number below ``genomeCount``; the last gene counts fastest.
  public func genome(at index: Int) -> Genome {
    var rest = index
    var values = [Int](repeating: 0, count: genes.count)
    for position in genes.indices.reversed() {
      values[position] = rest % genes[position].choices
      rest /= genes[position].choices
    }
    return Genome(values)
  }
}
