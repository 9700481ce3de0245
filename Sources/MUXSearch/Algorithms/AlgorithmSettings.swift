// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// An algorithm with its settings, as a study stores them.
public enum AlgorithmSettings: Sendable, Hashable, Codable {
  /// MOEA/D with PBI, the paper's.
  case moead(MOEAD.Settings = MOEAD.Settings())
  /// MOEA/D with PBI, guided by a model.
  case guided(GuidedMOEAD.Settings = GuidedMOEAD.Settings())
  /// Local search for each target.
  case local(LocalSearch.Settings = LocalSearch.Settings())
  /// Regularized evolution.
  case evolution(RegularizedEvolution.Settings = RegularizedEvolution.Settings())
  /// NSGA-II.
  case nsga2(NSGA2.Settings = NSGA2.Settings())
  /// Random search.
  case random
  /// Every network of a small space once, in order.
  case list

  /// The names that users give, with the settings of a study: a trial takes longer than a millisecond.
  public static let named: [(name: String, settings: AlgorithmSettings)] = [
    ("moead", .moead()), ("guided", .guided(.thorough)), ("local", .local()),
    ("evolution", .evolution()),
    ("nsga2", .nsga2()), ("random", .random),
  ]

  /// The name that users give.
  public var name: String {
    switch self {
    case .moead: "moead"
    case .guided: "guided"
    case .local: "local"
    case .evolution: "evolution"
    case .nsga2: "nsga2"
    case .random: "random"
    case .list: "list"
    }
  }

  /// Whether it keeps a population, whose size is a setting.
  package var hasPopulation: Bool {
    switch self {
    case .moead, .guided, .evolution, .nsga2: true
    case .local, .random, .list: false
    }
  }

  /// A new search.
  ///
  /// - Throws: ``SearchError`` for targets or settings that do not fit.
  public func make(
    _ problem: SearchProblem, goal: SearchGoal, seed: UInt64
  ) throws(SearchError) -> any SearchAlgorithm {
    switch self {
    case .moead(let settings):
      try MOEAD(problem, goal: goal, settings: settings, seed: seed)
    case .guided(let settings):
      try GuidedMOEAD(problem, goal: goal, settings: settings, seed: seed)
    case .local(let settings):
      try LocalSearch(problem, goal: goal, settings: settings, seed: seed)
    case .evolution(let settings):
      try RegularizedEvolution(problem, goal: goal, settings: settings, seed: seed)
    case .nsga2(let settings):
      try NSGA2(problem, goal: goal, settings: settings, seed: seed)
    case .random: RandomSearch(problem, seed: seed)
    case .list: try Self.list(problem, seed: seed)
    }
  }

  /// What is queued comes first, in its order, and nothing is left after it.
  private static func list(
    _ problem: SearchProblem, seed: UInt64
  ) throws(SearchError) -> RandomSearch {
    guard let count = problem.domain.genomeCount, count <= 1_000_000 else {
      throw .invalidSetting(
        name: "algorithm", reason: "a list is for spaces of at most a million networks")
    }
    return RandomSearch(
      problem, initial: (0..<count).map(problem.domain.genome(at:)), seed: seed)
  }

  /// A search that goes on from a saved state: it asks what it would have asked without stopping.
  ///
  /// - Throws: ``SearchError/state(algorithm:reason:)`` if the state is another algorithm's, damaged,
  ///   or of another space.
  public func restore(
    _ data: Data, problem: SearchProblem
  ) throws(SearchError) -> any SearchAlgorithm {
    let algorithm: any LedgerAlgorithm
    do {
      switch self {
      case .moead: algorithm = try MOEAD(problem, saved: data)
      case .guided:
        algorithm = GuidedMOEAD(
          problem, state: try SavedState.decode(GuidedMOEAD.State.self, from: data))
      case .local: algorithm = try LocalSearch(problem, saved: data)
      case .evolution: algorithm = try RegularizedEvolution(problem, saved: data)
      case .nsga2: algorithm = try NSGA2(problem, saved: data)
      case .random, .list: algorithm = try RandomSearch(problem, saved: data)
      }
    } catch {
      throw .state(algorithm: name, reason: "cannot be read: it is damaged or of another algorithm")
    }
    guard algorithm.ledger.genes == problem.domain.genes else {
      throw .state(algorithm: name, reason: "belongs to another search space")
    }
    return algorithm
  }
}
