// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// A network to be evaluated.
public struct Candidate: Sendable, Hashable, Codable {
  /// The number of the candidate in its search, from 0.
  public let id: Int
  /// The network's canonical genome.
  public let genome: Genome
  /// The network's key.
  public let key: ArchitectureKey
  /// The sub-problem (target or direction) for which it was made.
  public let subproblem: Int?

  /// A candidate as it was asked for.
  public init(id: Int, genome: Genome, key: ArchitectureKey, subproblem: Int?) {
    self.id = id
    self.genome = genome
    self.key = key
    self.subproblem = subproblem
  }
}

/// What became of a candidate.
public struct Evaluation: Sendable, Hashable, Codable {
  /// The candidate's number.
  public var id: Int
  /// The objectives in natural units; nil if the evaluation failed.
  public var objectives: [Double]?
  /// By how much constraints that had to be measured are broken; 0 if none is. Any candidate without
  /// violation is better than any with one.
  public var violation: Double

  /// A result.
  public init(id: Int, objectives: [Double], violation: Double = 0) {
    self.id = id
    self.objectives = objectives
    self.violation = violation
  }

  /// A candidate whose evaluation failed. It is not asked for again.
  public static func failed(id: Int) -> Evaluation {
    var evaluation = Evaluation(id: id, objectives: [])
    evaluation.objectives = nil
    return evaluation
  }
}

/// A search by asking and telling: the caller evaluates, wherever and in whichever order it likes.
///
/// ```swift
/// for candidate in algorithm.ask(8) {
///   try algorithm.tell([Evaluation(id: candidate.id, objectives: evaluate(candidate.genome))])
/// }
/// ```
/// The same seed and the same order of calls give the same candidates. No network is asked for
/// twice. Asking again before telling is allowed (batches, parallel workers).
public protocol SearchAlgorithm: Sendable {
  /// The genes, objectives and limits, which stay the same for the whole search.
  var problem: SearchProblem { get }

  /// The next network, as far as what is known of measured limits allows. Nothing is measured here,
  /// so that it is quick and the same wherever it is done; where it ends in
  /// ``Proposal/unmeasured(_:)``, the search is as it was before.
  mutating func next(given verdicts: LimitVerdicts) -> Proposal

  /// Takes a network that an earlier state of this search has proposed and that keeps its limits;
  /// nil if it was asked for meanwhile.
  mutating func adopt(_ network: UnmeasuredNetwork) -> Candidate?

  /// Up to `count` new networks; fewer only if the space has no more (in spaces above 2²² genomes:
  /// if 256 random ones in a row are known or over a limit). Limits that have to be measured are
  /// measured on the way, by ``SearchDomain/admits(_:)``.
  mutating func ask(_ count: Int) -> [Candidate]

  /// Takes in results, all of them or, if one is not acceptable, none.
  ///
  /// - Throws: ``SearchError`` naming the candidate.
  mutating func tell(_ evaluations: [Evaluation]) throws(SearchError)

  /// Makes a candidate that was told as failed wait for a result again, since its evaluation is to be
  /// repeated; nothing happens for any other one.
  mutating func reopen(_ candidate: Candidate)

  /// Puts networks first in line: they are asked for before any of the algorithm's own, in this order.
  /// Those that were asked for before, or are over a limit, are passed over then.
  mutating func enqueue(_ genomes: [Genome])

  /// All that is needed to go on later, as JSON; see ``AlgorithmSettings/restore(_:problem:)``.
  func savedState() throws -> Data
}

extension SearchAlgorithm {
  /// The next network, nil if the space has no more.
  public mutating func ask() -> Candidate? { ask(1).first }
}
