// SPDX-License-Identifier: Apache-2.0
/// Uniform sampling without repetition, the yardstick of every search.
public struct RandomSearch: SavedLedgerAlgorithm {
  struct State: LedgerState {
    var ledger: SearchLedger
  }

  /// What is searched for.
  public let problem: SearchProblem
  var state: State

  /// A search; `initial` networks come first.
  public init(_ problem: SearchProblem, initial: [Genome] = [], seed: UInt64) {
    self.problem = problem
    state = State(ledger: SearchLedger(problem: problem, seed: seed, initial: initial))
  }

  init(_ problem: SearchProblem, state: State) {
    self.problem = problem
    self.state = state
  }

  func plan() -> Int? { nil }

  func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? { nil }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    _ = try state.ledger.take(evaluations, problem: problem)
  }
}
