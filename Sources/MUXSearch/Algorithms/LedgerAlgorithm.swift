// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The asking that all algorithms share: networks that the user gave first, then proposals that are
/// new, then (where proposals are all known) random ones.
protocol LedgerAlgorithm: SearchAlgorithm {
  var ledger: SearchLedger { get set }

  /// Decides for which sub-problem the next candidate is made; nil for none.
  mutating func plan() -> Int?

  /// A genome for a sub-problem, nil for a random one.
  mutating func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome?
}

extension LedgerAlgorithm {
  /// The next network; see ``SearchAlgorithm``.
  public mutating func next(given verdicts: LimitVerdicts) -> Proposal {
    guard problem.domain.hasMeasuredLimits else {
      // Nothing can be unmeasured, so nothing has to be taken back: no copy.
      return (try? draw(verdicts)).map { .candidate($0) } ?? .exhausted
    }
    var drawn = self
    do {
      let candidate = try drawn.draw(verdicts)
      self = drawn
      return candidate.map { .candidate($0) } ?? .exhausted
    } catch {
      return .unmeasured(error)
    }
  }

  /// Up to `count` new networks; see ``SearchAlgorithm``.
  public mutating func ask(_ count: Int) -> [Candidate] {
    var verdicts = LimitVerdicts()
    var asked: [Candidate] = []
    asked.reserveCapacity(count)
    while asked.count < count {
      switch next(given: verdicts) {
      case .candidate(let candidate): asked.append(candidate)
      case .unmeasured(let network):
        verdicts[network.key] = problem.domain.admits(network.genome)
      case .exhausted: return asked
      }
    }
    return asked
  }

  /// Takes a network that another state of this search has proposed; see ``SearchAlgorithm``.
  public mutating func adopt(_ network: UnmeasuredNetwork) -> Candidate? {
    try? ledger.register(
      network.genome, problem, network.subproblem, LimitVerdicts(others: true))
  }

  /// Puts networks first in line; see ``SearchAlgorithm``.
  public mutating func enqueue(_ genomes: [Genome]) { ledger.enqueue(genomes) }

  /// Makes a failed candidate wait again; see ``SearchAlgorithm``.
  public mutating func reopen(_ candidate: Candidate) { ledger.reopen(candidate) }

  private mutating func draw(
    _ verdicts: LimitVerdicts
  ) throws(UnmeasuredNetwork) -> Candidate? {
    if let candidate = try ledger.queued(in: problem, verdicts) { return candidate }
    let subproblem = plan()
    for _ in 0..<32 {
      var random = ledger.random
      let genome = propose(for: subproblem, &random)
      ledger.random = random
      guard let genome else { break }
      if let found = try ledger.register(genome, problem, subproblem, verdicts) { return found }
    }
    return try ledger.fallback(in: problem, subproblem: subproblem, verdicts)
  }
}

/// All that a search knows, as it is saved.
protocol LedgerState: Sendable, Codable {
  var ledger: SearchLedger { get set }
}

/// An algorithm whose state is saved as it is.
protocol SavedLedgerAlgorithm: LedgerAlgorithm {
  associatedtype State: LedgerState
  var state: State { get set }

  init(_ problem: SearchProblem, state: State)
}

extension SavedLedgerAlgorithm {
  var ledger: SearchLedger {
    get { state.ledger }
    _modify { yield &state.ledger }
  }

  init(_ problem: SearchProblem, saved data: Data) throws {
    self.init(problem, state: try SavedState.decode(State.self, from: data))
  }

  /// The whole state as JSON.
  public func savedState() throws -> Data { try SavedState.encode(state) }
}
