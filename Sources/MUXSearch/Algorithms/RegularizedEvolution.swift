// SPDX-License-Identifier: Apache-2.0
/// Regularized (aging) evolution (Real et al. 2019), the paper's rival in figure 9: one population
/// for each target with the scalarised g as fitness, the budget shared out in turns. The best of a
/// random sample is mutated, the child is appended and the oldest network dies.
public struct RegularizedEvolution: SavedLedgerAlgorithm {
  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// The networks alive for each target.
    public var population = 50
    /// The networks drawn, the best of which is mutated.
    public var sample = 5
    /// How genomes are mutated; nothing is crossed.
    public var operators = GeneticOperators()
    /// θ of PBI.
    public var theta = 5.0
    /// z* of PBI.
    public var ideal = IdealPoint.origin
    /// Networks to be evaluated first.
    public var initial: [Genome] = []

    /// The settings of the published scripts for NAS-Bench-101: 50 alive, 5 drawn.
    public init() {}
  }

  struct State: LedgerState {
    var settings: Settings
    var ledger: SearchLedger
    var decomposition: Decomposition
    /// For each target the entries alive, the oldest first.
    var populations: [[Int]]
    /// Candidates asked for each target.
    var asked: [Int]
    var turn = 0
  }

  /// What is searched for.
  public let problem: SearchProblem
  var state: State

  /// A search of `goal`.
  ///
  /// - Throws: ``SearchError`` for targets or settings that do not fit.
  public init(
    _ problem: SearchProblem, goal: SearchGoal, settings: Settings = Settings(), seed: UInt64
  ) throws(SearchError) {
    guard settings.population > 0, settings.sample > 0 else {
      throw .invalidSetting(name: "population", reason: "population and sample must be above 0")
    }
    self.problem = problem
    let decomposition = try Decomposition(
      goal, objectives: problem.objectives, ideal: settings.ideal, theta: settings.theta)
    state = State(
      settings: settings,
      ledger: SearchLedger(problem: problem, seed: seed, initial: settings.initial),
      decomposition: decomposition, populations: decomposition.names.map { _ in [] },
      asked: decomposition.names.map { _ in 0 })
  }

  init(_ problem: SearchProblem, state: State) {
    self.problem = problem
    self.state = state
  }

  mutating func plan() -> Int? {
    let target = state.turn
    state.turn = (target + 1) % state.populations.count
    state.asked[target] += 1
    return target
  }

  func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? {
    guard let target = subproblem, state.asked[target] > state.settings.population,
      let first = state.populations[target].first
    else { return nil }
    let alive = state.populations[target]
    var best = first
    var lowest = Double.infinity
    for _ in 0..<state.settings.sample {
      let entry = alive[random.below(alive.count)]
      let value = fitness(entry, target)
      if value < lowest { (best, lowest) = (entry, value) }
    }
    var genome = state.ledger.entries[best].genome
    state.settings.operators.mutate(&genome, state.ledger.genes, &random)
    return genome
  }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    for (candidate, entry) in try state.ledger.take(evaluations, problem: problem) {
      guard let entry else { continue }
      _ = state.decomposition.observe(state.ledger.entries[entry].objectives)
      for target in candidate.subproblem.map({ [$0] }) ?? Array(state.populations.indices) {
        state.populations[target].append(entry)
        if state.populations[target].count > state.settings.population {
          state.populations[target].removeFirst()
        }
      }
    }
  }

  private func fitness(_ entry: Int, _ target: Int) -> Double {
    let entry = state.ledger.entries[entry]
    return SearchLedger.penalized(
      state.decomposition.value(entry.objectives, target), entry.violation)
  }
}
