// SPDX-License-Identifier: Apache-2.0

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
  /// Up to `count` new networks; see ``SearchAlgorithm``.
  public mutating func ask(_ count: Int) -> [Candidate] {
    var asked: [Candidate] = []
    asked.reserveCapacity(count)
    while asked.count < count, let candidate = next() { asked.append(candidate) }
    return asked
  }

  /// Makes a failed candidate wait again; see ``SearchAlgorithm``.
  public mutating func reopen(_ candidate: Candidate) { ledger.reopen(candidate) }

  private mutating func next() -> Candidate? {
    if let candidate = ledger.queued(in: problem) { return candidate }
    let subproblem = plan()
    for _ in 0..<32 {
      var random = ledger.random
      let genome = propose(for: subproblem, &random)
      ledger.random = random
      guard let genome else { break }
      if let found = ledger.register(genome, problem, subproblem) { return found }
    }
    return ledger.fallback(in: problem, subproblem: subproblem)
  }
}
