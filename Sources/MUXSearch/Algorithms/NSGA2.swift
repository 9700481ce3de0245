// SPDX-License-Identifier: Apache-2.0
/// NSGA-II (Deb et al. 2002): generations of crowded tournament, crossover and mutation, survival by
/// non-dominated rank and crowding distance. It seeks the whole front and knows no directions; where all
/// targets are budgets, networks outside of all of them come after those within one.
public struct NSGA2: SavedLedgerAlgorithm {
  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// The networks of a generation.
    public var population = 40
    /// How genomes are crossed and mutated.
    public var operators = GeneticOperators()
    /// Networks to be evaluated first.
    public var initial: [Genome] = []

    /// A population of 40.
    public init() {}
  }

  struct State: LedgerState {
    var settings: Settings
    var ledger: SearchLedger
    /// The parents, with rank and crowding.
    var parents: [Member] = []
    /// Results since the last survival.
    var children: [Int] = []
    /// The budgets, nil where the whole front is sought.
    var decomposition: Decomposition?
  }

  struct Member: Sendable, Codable {
    var entry: Int
    var rank: Int
    var crowding: Double
  }

  /// What is searched for.
  public let problem: SearchProblem
  var state: State

  /// A search.
  ///
  /// - Throws: ``SearchError`` for settings that do not fit.
  public init(
    _ problem: SearchProblem, goal: SearchGoal? = nil, settings: Settings = Settings(),
    seed: UInt64
  ) throws(SearchError) {
    guard settings.population > 1 else {
      throw .invalidSetting(name: "population", reason: "must be above 1")
    }
    self.problem = problem
    state = State(
      settings: settings,
      ledger: SearchLedger(problem: problem, seed: seed, initial: settings.initial))
    if case .targets(let targets) = goal, !targets.isEmpty,
      targets.allSatisfy({ $0.kind == .budget })
    {
      state.decomposition = try Decomposition(
        .targets(targets), objectives: problem.objectives)
    }
  }

  init(_ problem: SearchProblem, state: State) {
    self.problem = problem
    self.state = state
  }

  func plan() -> Int? { nil }

  func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? {
    guard state.parents.count > 1 else { return nil }
    let first = tournament(&random)
    let second = tournament(&random)
    return state.settings.operators.child(
      state.ledger.entries[first].genome, state.ledger.entries[second].genome, state.ledger.genes,
      &random)
  }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    for (_, entry) in try state.ledger.take(evaluations, problem: problem) {
      if let entry { state.children.append(entry) }
      if state.children.count == state.settings.population { survive() }
    }
  }

  private func tournament(_ random: inout SearchRandom) -> Int {
    let a = state.parents[random.below(state.parents.count)]
    let b = state.parents[random.below(state.parents.count)]
    if a.rank != b.rank { return a.rank < b.rank ? a.entry : b.entry }
    return a.crowding >= b.crowding ? a.entry : b.entry
  }

  /// By how much a network breaks constraints: measured ones first, then the nearest budget.
  private func violation(_ entry: Int) -> Double {
    let found = state.ledger.entries[entry]
    guard let decomposition = state.decomposition else { return found.violation }
    let excess = (0..<decomposition.count).reduce(Double.infinity) {
      min($0, decomposition.budget($1)?.excess(of: found.objectives) ?? 0)
    }
    return found.violation > 0 ? SearchLedger.penalized(excess, found.violation) : excess
  }

  private mutating func survive() {
    let entries = state.parents.map(\.entry) + state.children
    let violations = Dictionary(
      entries.map { ($0, violation($0)) }, uniquingKeysWith: { first, _ in first })
    let feasible = entries.filter { violations[$0] == 0 }
    let points = feasible.map { state.ledger.entries[$0].objectives }
    var next: [Member] = []
    for (rank, front) in NonDominatedSorting.fronts(points).enumerated() {
      guard next.count < state.settings.population else { break }
      let crowding = NonDominatedSorting.crowding(front.map { points[$0] })
      var members = zip(front, crowding).map {
        Member(entry: feasible[$0], rank: rank, crowding: $1)
      }
      let room = state.settings.population - next.count
      if members.count > room {
        members.sort { ($1.crowding, $0.entry) < ($0.crowding, $1.entry) }
        members.removeLast(members.count - room)
      }
      next += members
    }
    // Networks that break a constraint fill what is left, the smallest violation first.
    let broken = entries.filter { violations[$0] != 0 }.sorted {
      (violations[$0] ?? 0, $0) < (violations[$1] ?? 0, $1)
    }
    for (index, entry) in broken.prefix(state.settings.population - next.count).enumerated() {
      next.append(Member(entry: entry, rank: entries.count + index, crowding: 0))
    }
    state.parents = next
    state.children = []
  }
}
