// SPDX-License-Identifier: Apache-2.0
/// MOEA/D (Zhang and Li 2007) with PBI towards a few targets or many directions.
///
/// Each sub-problem keeps its share of the population (with the paper's 4 targets and population of
/// 40, ten networks each), sorted by its own g. Sub-problems take turns; a child comes from parents
/// of its sub-problem and its neighbours', and competes by g in its own sub-problem and then in the
/// neighbours', where it may take a limited number of places.
public struct MOEAD: SavedLedgerAlgorithm {
  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// The networks kept in all.
    public var population = 40
    /// The random networks at the start, nil for as many as the population.
    public var initialSamples: Int?
    /// T, the sub-problems in a neighbourhood, its own included.
    public var neighbors = 20
    /// δ, how often the second parent comes from the neighbourhood and not from anywhere.
    public var matingRate = 0.9
    /// The places that a child may take in all.
    public var maximumReplacements = 2
    /// How many places of its sub-problem are drawn for each parent; the best becomes one.
    public var tournament = 2
    /// How genomes are crossed and mutated.
    public var operators = GeneticOperators()
    /// θ of PBI.
    public var theta = 5.0
    /// z* of PBI.
    public var ideal = IdealPoint.origin
    /// Networks to be evaluated first.
    public var initial: [Genome] = []

    /// The paper's population and θ.
    public init() {}
  }

  /// A place of a sub-problem: an evaluated network and its g there.
  struct Place: Sendable, Codable {
    var entry: Int
    var value: Double
  }

  struct State: LedgerState {
    var settings: Settings
    var ledger: SearchLedger
    var decomposition: Decomposition
    /// For each sub-problem its places, the best first.
    var places: [[Place]]
    var capacities: [Int]
    var neighborhoods: [[Int]]
    /// The sub-problems still to be served in this round.
    var turns: [Int] = []
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
    guard settings.population > 1, settings.neighbors > 0, settings.maximumReplacements > 0 else {
      throw .invalidSetting(
        name: "population", reason: "population, neighbors and replacements must be above 0")
    }
    let decomposition = try Decomposition(
      goal, objectives: problem.objectives, ideal: settings.ideal, theta: settings.theta)
    let count = decomposition.count
    state = State(
      settings: settings,
      ledger: SearchLedger(problem: problem, seed: seed, initial: settings.initial),
      decomposition: decomposition, places: decomposition.names.map { _ in [] },
      capacities: (0..<count).map {
        max(1, settings.population / count + ($0 < settings.population % count ? 1 : 0))
      },
      neighborhoods: decomposition.neighborhoods().map { Array($0.prefix(settings.neighbors)) })
  }

  init(_ problem: SearchProblem, state: State) {
    self.problem = problem
    self.state = state
  }

  /// The sub-problems.
  public var decomposition: Decomposition { state.decomposition }

  /// The best network of each sub-problem so far, nil before the first result.
  public var best: [(genome: Genome, value: Double)?] {
    state.places.map { places in
      places.first.map { (state.ledger.entries[$0.entry].genome, $0.value) }
    }
  }

  /// For each sub-problem the networks that it keeps, the best first.
  public var kept: [[Genome]] {
    state.places.map { places in places.map { state.ledger.entries[$0.entry].genome } }
  }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    for (candidate, entry) in try state.ledger.take(evaluations, problem: problem) {
      if let entry { insert(entry, for: candidate.subproblem) }
    }
  }

  /// Whether the first random sample is not out yet, or nothing came back from it.
  var isStarting: Bool {
    state.ledger.nextID < (state.settings.initialSamples ?? state.settings.population)
      || state.ledger.entries.isEmpty
  }

  mutating func plan() -> Int? {
    isStarting ? nil : nextTurn()
  }

  func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? {
    guard let subproblem else { return stranger(&random) }
    return offspring(of: subproblem, &random)
  }

  /// A random network for the first sample: within a budget where there are some, as far as that is known
  /// without evaluation. Nil for any.
  private func stranger(_ random: inout SearchRandom) -> Genome? {
    guard let budget = state.decomposition.budget(state.ledger.nextID % state.places.count) else {
      return nil
    }
    return problem.stranger(within: budget, of: state.ledger.genes, &random)
  }

  /// The sub-problem whose turn it is, each once in a round, in random order.
  mutating func nextTurn() -> Int {
    if state.turns.isEmpty {
      state.turns = Array(0..<state.places.count)
      state.turns.shuffle(using: &state.ledger.random)
    }
    return state.turns.removeLast()
  }

  /// A child for a sub-problem.
  func offspring(of subproblem: Int, _ random: inout SearchRandom) -> Genome {
    let first = parent(in: subproblem, &random)
    let neighborhood = state.neighborhoods[subproblem]
    let mate =
      random.uniform() < state.settings.matingRate
      ? neighborhood[random.below(neighborhood.count)] : random.below(state.places.count)
    let second = parent(in: mate, &random)
    return state.settings.operators.child(
      state.ledger.entries[first].genome, state.ledger.entries[second].genome, state.ledger.genes,
      &random)
  }

  private func parent(in subproblem: Int, _ random: inout SearchRandom) -> Int {
    let places = state.places[subproblem]
    var index = random.below(places.count)
    for _ in 1..<max(1, state.settings.tournament) {
      index = min(index, random.below(places.count))
    }
    return places[index].entry
  }

  /// Lets a network compete. One from the initial sample competes everywhere without limit.
  private mutating func insert(_ entry: Int, for subproblem: Int?) {
    let point = state.ledger.entries[entry].objectives
    let violation = state.ledger.entries[entry].violation
    if state.decomposition.observe(point) { revalue() }
    guard let subproblem else {
      for index in state.places.indices { _ = offer(entry, point, violation, to: index) }
      return
    }
    var taken = 0
    for index in state.neighborhoods[subproblem] {
      if offer(entry, point, violation, to: index) { taken += 1 }
      if taken == state.settings.maximumReplacements { break }
    }
    guard taken < state.places.count else { return }
    // A network that was found for one target may be the best within any budget.
    for index in state.decomposition.budgetPlaces
    where !state.places[index].contains(where: { $0.entry == entry }) {
      _ = offer(entry, point, violation, to: index)
    }
  }

  /// Offers a network to a sub-problem; whether it took a place.
  private mutating func offer(
    _ entry: Int, _ point: [Double], _ violation: Double, to subproblem: Int
  ) -> Bool {
    let value = SearchLedger.penalized(state.decomposition.value(point, subproblem), violation)
    let isFull = state.places[subproblem].count == state.capacities[subproblem]
    if isFull {
      guard let worst = state.places[subproblem].last, value < worst.value else { return false }
      state.places[subproblem].removeLast()
    }
    var index = state.places[subproblem].count
    while index > 0, state.places[subproblem][index - 1].value > value { index -= 1 }
    state.places[subproblem].insert(Place(entry: entry, value: value), at: index)
    return true
  }

  /// Computes every g anew after the ideal point has moved.
  private mutating func revalue() {
    if state.decomposition.hasTargets {
      state.neighborhoods = state.decomposition.neighborhoods().map {
        Array($0.prefix(state.settings.neighbors))
      }
    }
    for index in state.places.indices {
      for place in state.places[index].indices {
        let entry = state.ledger.entries[state.places[index][place].entry]
        state.places[index][place].value = SearchLedger.penalized(
          state.decomposition.value(entry.objectives, index), entry.violation)
      }
      state.places[index].sort { ($0.value, $0.entry) < ($1.value, $1.entry) }
    }
  }
}
