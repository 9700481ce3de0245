// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// MOEA/D-PBI that looks before it asks: of many children it proposes the one with the largest
/// expected gain in g.
///
/// What follows from the network alone (parameters, multiply-adds) is computed exactly for every
/// child; only the objectives that cost an evaluation are predicted, by a model that learns from each
/// result. The children of a sub-problem are the neighbours of its best networks (one gene changed),
/// MOEA/D's own offspring, and a few random ones.
public struct GuidedMOEAD: LedgerAlgorithm {
  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// The settings of the underlying MOEA/D; its random start is shorter, since the model soon tells
    /// more.
    public var base: MOEAD.Settings = {
      var settings = MOEAD.Settings()
      settings.initialSamples = 15
      return settings
    }()
    /// The most neighbours of a sub-problem's best network that are looked at.
    public var neighbors = 32
    /// The most neighbours of another good network of the sub-problem.
    public var otherNeighbors = 16
    /// MOEA/D's offspring that are looked at.
    public var offspring = 16
    /// Random networks that are looked at.
    public var strangers = 8
    /// The standard deviation that goes into the expected gain, over the measured one.
    public var boldness = 0.7
    /// How the model learns.
    public var model = SurrogateSettings()

    /// Settings tuned on other targets than those of the reported benchmark.
    public init() {}
  }

  struct State: Sendable, Codable {
    var settings: Settings
    var base: MOEAD.State
    /// A model for each objective that has to be evaluated, nil for the others.
    var models: [AdditiveModel?] = []
  }

  /// What is searched for.
  public var problem: SearchProblem { base.problem }
  private let settings: Settings
  private var base: MOEAD
  private var models: [AdditiveModel?]

  var ledger: SearchLedger {
    get { base.ledger }
    _modify { yield &base.ledger }
  }

  /// A search of `goal`.
  ///
  /// - Throws: ``SearchError`` for targets or settings that do not fit.
  public init(
    _ problem: SearchProblem, goal: SearchGoal, settings: Settings = Settings(), seed: UInt64
  ) throws(SearchError) {
    self.settings = settings
    base = try MOEAD(problem, goal: goal, settings: settings.base, seed: seed)
    models = []
  }

  init(_ problem: SearchProblem, state: State) {
    settings = state.settings
    base = MOEAD(problem, state: state.base)
    models = state.models
  }

  /// The sub-problems.
  public var decomposition: Decomposition { base.decomposition }

  /// The best network of each sub-problem so far, nil before the first result.
  public var best: [(genome: Genome, value: Double)?] { base.best }

  mutating func plan() -> Int? { base.plan() }

  func propose(for subproblem: Int?, _ random: inout SearchRandom) -> Genome? {
    guard let subproblem else { return nil }
    guard !models.isEmpty else { return base.offspring(of: subproblem, &random) }
    var gain = ExpectedGain(
      decomposition: base.decomposition, subproblem: subproblem,
      best: base.state.places[subproblem].first?.value ?? .infinity, models: models,
      boldness: settings.boldness)
    for genome in children(of: subproblem, &random) {
      guard let canonical = problem.domain.canonical(genome),
        !ledger.hasSeen(problem.domain.key(of: canonical))
      else { continue }
      gain.consider(
        canonical, known: problem.domain.knownObjectives(of: canonical).map(problem.normalized))
    }
    return gain.winner ?? base.offspring(of: subproblem, &random)
  }

  /// Takes in results; see ``SearchAlgorithm``.
  public mutating func tell(_ evaluations: [Evaluation]) throws(SearchError) {
    let before = base.ledger.entries.count
    try base.tell(evaluations)
    for index in before..<base.ledger.entries.count { learn(base.ledger.entries[index]) }
  }

  /// The whole state as JSON.
  public func savedState() throws -> Data {
    try SavedState.encode(State(settings: settings, base: base.state, models: models))
  }

  private mutating func learn(_ entry: SearchLedger.Entry) {
    if models.isEmpty {
      let known = problem.domain.knownObjectives(of: entry.genome)
      models = problem.objectives.indices.map { index in
        if let known, !known[index].isNaN { return nil }
        return AdditiveModel(genes: ledger.genes, settings: settings.model)
      }
    }
    for index in models.indices {
      models[index]?.add(entry.genome, value: entry.objectives[index])
    }
  }

  private func children(of subproblem: Int, _ random: inout SearchRandom) -> [Genome] {
    let places = base.state.places[subproblem]
    var pool: [Genome] = []
    pool.reserveCapacity(80)
    if let best = places.first {
      neighbors(ledger.entries[best.entry].genome, settings.neighbors, &random, into: &pool)
    }
    if places.count > 1 {
      let other = places[1 + random.below(min(4, places.count - 1))]
      neighbors(ledger.entries[other.entry].genome, settings.otherNeighbors, &random, into: &pool)
    }
    for _ in 0..<settings.offspring { pool.append(base.offspring(of: subproblem, &random)) }
    for _ in 0..<settings.strangers {
      pool.append(Genome(ledger.genes.map { random.below($0.choices) }))
    }
    return pool
  }

  /// Adds all genomes that differ in one gene, or `limit` of them drawn at random.
  private func neighbors(
    _ genome: Genome, _ limit: Int, _ random: inout SearchRandom, into pool: inout [Genome]
  ) {
    let genes = ledger.genes
    let total = genes.reduce(0) { $0 + $1.choices - 1 }
    if total <= limit {
      for index in genes.indices {
        for value in 0..<genes[index].choices where value != genome[index] {
          var neighbor = genome
          neighbor[index] = value
          pool.append(neighbor)
        }
      }
      return
    }
    for _ in 0..<limit {
      var rest = random.below(total)
      var index = 0
      while rest >= genes[index].choices - 1 {
        rest -= genes[index].choices - 1
        index += 1
      }
      var neighbor = genome
      neighbor[index] = rest < genome[index] ? rest : rest + 1
      pool.append(neighbor)
    }
  }
}
