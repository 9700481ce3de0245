// SPDX-License-Identifier: Apache-2.0
/// Local search (White, Nolen and Savani 2021): for each target, the networks that differ from its best one
/// in one gene, in random order; a better one takes its place at once. Where none is better it begins
/// anew at a random network. The budget is shared out over the targets in turns.
///
/// It has no model and no settings worth tuning, and is hard to beat on tables, which makes it a rival to
/// measure others by.
public struct LocalSearch: SavedLedgerAlgorithm {
  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// θ of PBI.
    public var theta = 5.0
    /// z* of PBI.
    public var ideal = IdealPoint.origin
    /// Networks to be evaluated first.
    public var initial: [Genome] = []

    /// The paper's θ, z* at the origin.
    public init() {}
  }

  struct State: LedgerState {
    var settings: Settings
    var ledger: SearchLedger
    var decomposition: Decomposition
    var climbs: [Climb]
    var turn = 0
  }

  /// Where the search for a target stands.
  struct Climb: Sendable, Codable {
    /// The entry whose neighbours are asked for; nil before the first result after a new beginning.
    var entry: Int?
    /// Its g.
    var value = Double.infinity
    /// The neighbours that are left, the last of which is asked for next.
    var neighbors: [Genome] = []
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
    self.problem = problem
    let decomposition = try Decomposition(
      goal, objectives: problem.objectives, ideal: settings.ideal, theta: settings.theta)
    state = State(
      settings: settings,
      ledger: SearchLedger(problem: problem, seed: seed, initial: settings.initial),
      decomposition: decomposition, climbs: decomposition.names.map { _ in Climb() })
  }

  init(_ problem: SearchProblem, state: State) {
    self.problem = problem
    self.state = state
  }

  mutating func plan() -> Int? {
    let target = state.turn
    state.turn = (target + 1) % state.climbs.count
    return target
  }

  mutating func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? {
    guard let target = subproblem, state.climbs[target].entry != nil else { return nil }
    while let neighbor = state.climbs[target].neighbors.popLast() {
      guard let canonical = problem.domain.canonical(neighbor),
        !ledger.hasSeen(problem.domain.key(of: canonical))
      else { continue }
      return canonical
    }
    state.climbs[target] = Climb()
    return nil
  }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    for (candidate, entry) in try state.ledger.take(evaluations, problem: problem) {
      guard let entry else { continue }
      let found = state.ledger.entries[entry]
      _ = state.decomposition.observe(found.objectives)
      for target in state.climbs.indices {
        let climb = state.climbs[target]
        // A new beginning is the target's own; later it takes what others find, too.
        guard climb.entry != nil || candidate.subproblem == target || candidate.subproblem == nil
        else { continue }
        let value = SearchLedger.penalized(
          state.decomposition.value(found.objectives, target), found.violation)
        guard climb.entry == nil || value < climb.value else { continue }
        state.climbs[target] = Climb(
          entry: entry, value: value, neighbors: neighbors(of: found.genome))
      }
    }
  }

  /// All genomes that differ in one gene, in random order.
  private mutating func neighbors(of genome: Genome) -> [Genome] {
    var neighbors: [Genome] = []
    for (place, gene) in ledger.genes.enumerated() {
      for choice in 0..<gene.choices where choice != genome[place] {
        var neighbor = genome
        neighbor[place] = choice
        neighbors.append(neighbor)
      }
    }
    for place in neighbors.indices.dropFirst().reversed() {
      neighbors.swapAt(place, ledger.random.below(place + 1))
    }
    return neighbors
  }
}
