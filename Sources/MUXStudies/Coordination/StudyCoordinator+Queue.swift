// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXSearch

/// Networks of the user's own, first in line.
extension StudyCoordinator {
  /// What became of networks that were to be put first in line.
  public struct Queued: Sendable, Hashable {
    /// How many wait now.
    public var count: Int
    /// The trials that other ones of them are already.
    public var known: [Int]
  }

  /// Puts networks first in line: the next trials are of them, in this order. All of them are checked
  /// before any is taken.
  ///
  /// - Throws: `SearchError.notInSpace` for a genome that is no network of the space, with the gene;
  ///   ``StudyError``.
  @discardableResult
  public func enqueue(_ genomes: [Genome], of study: Study) throws -> Queued {
    let domain = try study.definition.problem().domain
    let canonical = try genomes.map { try Self.checked($0, in: domain) }
    try catchUp(with: study)
    var made: Search?
    let queued = try write(study) { transaction, study -> Queued in
      made = nil
      var keys: [ArchitectureKey: Int] = [:]
      for trial in try transaction.trials(of: study.id, in: [], limit: nil) {
        keys[trial.key] = trial.number
      }
      let known = canonical.compactMap { keys[domain.key(of: $0)] }
      var fresh: [Genome] = []
      for genome in canonical
      where keys[domain.key(of: genome)] == nil && !fresh.contains(genome) { fresh.append(genome) }
      guard !fresh.isEmpty else { return Queued(count: 0, known: known) }
      var search = try self.search(transaction, study)
      var step = AlgorithmStep(told: try tell(&search, transaction, study))
      search.algorithm.enqueue(fresh)
      step.queued = fresh
      try add(step, to: &search, transaction, study)
      made = search
      return Queued(count: fresh.count, known: known)
    }
    keep(made, of: study)
    return queued
  }

  private static func checked(_ genome: Genome, in domain: any SearchDomain) throws -> Genome {
    let genes = domain.genes
    func fail(_ reason: String) -> SearchError {
      .notInSpace(network: "\(genome.values)", reason: reason)
    }
    guard genome.values.count == genes.count else {
      throw fail("it has \(genome.values.count) genes, not \(genes.count)")
    }
    for (value, gene) in zip(genome.values, genes) where !(0..<gene.choices).contains(value) {
      throw fail("'\(gene.name)' is \(value), not one of 0 to \(gene.choices - 1)")
    }
    guard let canonical = domain.canonical(genome) else {
      throw fail("it is over a limit of the space")
    }
    return canonical
  }
}
