// SPDX-License-Identifier: Apache-2.0
public import MUXSearch

/// What a study's algorithm went through at once: what it was told, and what it was asked for.
/// Going through it again leads to the same algorithm.
public struct AlgorithmStep: Sendable, Hashable, Codable {
  /// An ask and its answer.
  public struct Ask: Sendable, Hashable, Codable {
    /// The trial's number; nil where the space had no more networks.
    public var number: Int?
    /// Networks that were proposed on the way and refused, as measured by who asked.
    public var refused: [ArchitectureKey]?
    /// The network, where it had been proposed by an earlier state of the algorithm.
    public var adopted: UnmeasuredNetwork?

    /// An ask.
    public init(
      number: Int?, refused: [ArchitectureKey]? = nil, adopted: UnmeasuredNetwork? = nil
    ) {
      self.number = number
      self.refused = refused
      self.adopted = adopted
    }
  }

  /// Counts the steps of a study; the algorithm is at this revision afterwards.
  public var revision = 0
  /// Results, in the order in which they were told.
  public var told: [Evaluation]
  /// Failed networks that wait for a result again.
  public var reopened: [Candidate]?
  /// Networks that were put first in line after that.
  public var queued: [Genome]?
  /// What was asked for after that, if anything was.
  public var ask: Ask?

  /// A step.
  public init(
    revision: Int = 0, told: [Evaluation], reopened: [Candidate]? = nil, queued: [Genome]? = nil,
    ask: Ask? = nil
  ) {
    self.queued = queued
    self.revision = revision
    self.told = told
    self.reopened = reopened
    self.ask = ask
  }

  /// Goes through the step again; false if the algorithm answers anything else than it did.
  func repeats(on algorithm: inout any SearchAlgorithm) throws -> Bool {
    for evaluation in told { try algorithm.tell([evaluation]) }
    for candidate in reopened ?? [] { algorithm.reopen(candidate) }
    if let queued { algorithm.enqueue(queued) }
    guard let ask else { return true }
    if let network = ask.adopted { return algorithm.adopt(network)?.id == ask.number }
    switch algorithm.next(given: LimitVerdicts(refused: ask.refused ?? [])) {
    case .candidate(let candidate): return candidate.id == ask.number
    case .exhausted: return ask.number == nil
    case .unmeasured: return false
    }
  }
}
