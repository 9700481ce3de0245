// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
public import MUXSearch

/// All that decides what a study does; fixed when the study is made, except for the limits.
public struct StudyDefinition: Sendable, Hashable, Codable {
  /// What is searched.
  public enum Space: Sendable, Hashable, Codable {
    /// Networks of a space, with the quantities that limits and targets may name.
    case networks(space: NetworkSpace, quantities: [NetworkDomain.Quantity])
    /// A published table, which is also the evaluation: for trying a set-up without training.
    case table(name: String, path: String)
    /// A fixed list of networks and seeds.
    case grid(StudyGrid)
  }

  /// Where the candidates come from.
  public var space: Space
  /// What is minimised, with the scales.
  public var objectives: [Objective]
  /// Where the search goes.
  public var goal: SearchGoal
  /// The algorithm and its settings.
  public var algorithm: AlgorithmSettings
  /// The seed of the algorithm.
  public var seed: UInt64
  /// How a network gets its objectives.
  public var evaluation: EvaluationMethod
  /// How many networks, and how long each may take.
  public var limits: StudyLimits
  /// Stops hopeless evaluations early; nil for never.
  public var earlyStopping: ParetoHalving.Settings?
  /// The limits of a table; those of networks stand in their space.
  public var tableLimits: NetworkSpace.Constraints?

  /// A definition of its parts.
  public init(
    space: Space, objectives: [Objective], goal: SearchGoal, algorithm: AlgorithmSettings,
    seed: UInt64, evaluation: EvaluationMethod, limits: StudyLimits = StudyLimits(),
    earlyStopping: ParetoHalving.Settings? = nil
  ) {
    self.space = space
    self.objectives = objectives
    self.goal = goal
    self.algorithm = algorithm
    self.seed = seed
    self.evaluation = evaluation
    self.limits = limits
    self.earlyStopping = earlyStopping
  }

  /// The search of networks towards targets, or (without any) along uniform directions.
  ///
  /// - Throws: `SearchError` for a space or targets that cannot be.
  public init(
    networks space: NetworkSpace, quantities: [NetworkDomain.Quantity] = [.error, .params, .madds],
    own: [Objective] = [], targets: [ReferenceTarget], partitions: Int = 8,
    errorScale: Double = 100.0 / 3,
    algorithm: AlgorithmSettings, seed: UInt64, evaluation: EvaluationMethod,
    limits: StudyLimits = StudyLimits()
  ) throws(SearchError) {
    let problem = try Self.domain(space, quantities, own)
      .problem(targets: targets, errorScale: errorScale)
    self.init(
      space: .networks(space: space, quantities: quantities), objectives: problem.objectives,
      goal: targets.isEmpty ? .wholeFront(partitions: partitions) : .targets(targets),
      algorithm: algorithm, seed: seed, evaluation: evaluation, limits: limits)
  }

  /// A fixed list of networks and seeds instead of a search; error, parameters and multiply-adds are kept.
  ///
  /// - Throws: `SearchError.invalidSetting` for a list without networks or seeds, or with one twice.
  public init(grid: StudyGrid, evaluation: EvaluationMethod) throws(SearchError) {
    if let defect = grid.defect { throw .invalidSetting(name: "grid", reason: defect) }
    func cost(_ metric: Metric) -> Objective {
      let largest = grid.networks.compactMap { $0.costs[metric.name] }.max() ?? 1
      return Objective(metric, scale: max(largest, 1))
    }
    self.init(
      space: .grid(grid),
      objectives: [
        Objective(.error, scale: 100.0 / 3), cost(.parameters), cost(.multiplyAdds),
      ], goal: .wholeFront(partitions: 8), algorithm: .list, seed: 0, evaluation: evaluation,
      limits: StudyLimits(trials: grid.count))
  }

  /// The list of networks and seeds, nil for a search.
  public var grid: StudyGrid? {
    guard case .grid(let grid) = space else { return nil }
    return grid
  }

  /// The space with its objectives, ready for an algorithm.
  ///
  /// - Throws: `SearchError` for an empty space, or a table that cannot be read.
  public func problem() throws(SearchError) -> SearchProblem {
    switch space {
    case .networks(let space, let quantities):
      try SearchProblem(
        domain: Self.domain(space, quantities, own(quantities)), objectives: objectives)
    case .table(let name, let path):
      try Self.table(name, path: path).problem(objectives, within: tableLimits)
    case .grid(let grid):
      try SearchProblem(
        domain: GridDomain(grid: grid, objectives: objectives), objectives: objectives)
    }
  }

  /// The networks' domain, nil for a table.
  public var networkDomain: NetworkDomain? {
    guard case .networks(let space, let quantities) = space else { return nil }
    return Self.domain(space, quantities, own(quantities))
  }

  /// The objectives behind those that every search of networks may have.
  private func own(_ quantities: [NetworkDomain.Quantity]) -> [Objective] {
    Array(objectives.dropFirst(quantities.count))
  }

  /// The domain of a space. A limit on latency is kept by ``StudyCoordinator``, which measures while
  /// no storage is locked; the domain itself measures nothing.
  private static func domain(
    _ space: NetworkSpace, _ quantities: [NetworkDomain.Quantity], _ own: [Objective]
  ) -> NetworkDomain {
    NetworkDomain(space, quantities: quantities, own: own) { _ in nil }
  }

  /// The sub-problems by which results are judged: z* at the origin, θ = 5.
  ///
  /// - Throws: `SearchError` for targets that do not fit.
  public func decomposition() throws(SearchError) -> Decomposition {
    try Decomposition(goal, objectives: objectives)
  }

  /// A table of the names in ``tableNames``.
  ///
  /// - Throws: `SearchError.table`.
  public static func table(
    _ name: String, path: String
  ) throws(SearchError) -> any BenchmarkTable {
    switch name {
    case "nas-bench-macro": return try NASBenchMacro.read(URL(filePath: path))
    case "nas-bench-201": return try NASBench201.read(URL(filePath: path))
    default:
      if let data = NATSBench.DataSet.allCases.first(where: { $0.tableName == name }) {
        return try NATSBench.read(URL(filePath: path), data)
      }
      throw .table(
        path: name,
        reason: "there is no such table; there are \(tableNames.joined(separator: ", "))")
    }
  }

  /// The decisions of a table, which are known without its file; none for another name.
  static func tableGenes(_ name: String) -> [Gene] {
    switch name {
    case "nas-bench-macro": NASBenchMacro.genes
    case "nas-bench-201": NASBench201.genes
    default:
      NATSBench.DataSet.allCases.contains { $0.tableName == name } ? NASBench201.genes : []
    }
  }

  /// The tables that can be searched.
  public static let tableNames =
    ["nas-bench-macro", "nas-bench-201"] + NATSBench.DataSet.allCases.map(\.tableName)

  /// How many networks make a generation on the terminal: the algorithm's population.
  public var population: Int {
    switch algorithm {
    case .moead(let settings): settings.population
    case .guided(let settings): settings.base.population
    case .evolution(let settings): settings.population
    case .nsga2(let settings): settings.population
    case .random, .local: 40
    case .list: grid?.networks.count ?? 40
    }
  }
}

/// How a network gets its objectives.
public enum EvaluationMethod: Sendable, Hashable, Codable {
  /// By training; the resolved settings of a run as YAML.
  case training(settings: String)
  /// By a program of the user's; a line for the shell.
  case command(line: String)
  /// By looking it up in the study's table.
  case table
  /// By weights that all networks of the space share: the folder of their training's run, and the hash of
  /// the tensors.
  case supernet(run: String, digest: String)
  /// By code of the program that made the study, which says what it is called.
  case code(name: String)

  /// One word for listings.
  public var name: String {
    switch self {
    case .training: "training"
    case .command: "command"
    case .table: "table"
    case .supernet: "super-network"
    case .code: "code"
    }
  }
}

/// How much a study may do.
public struct StudyLimits: Sendable, Hashable, Codable {
  /// Networks in all, failed ones included.
  public var trials = 100
  /// Seconds for one evaluation; nil for no limit.
  public var timeout: Double?
  /// How often a trial is begun again whose worker vanished.
  public var retries = 3
  /// Seconds without a heart-beat after which a worker counts as vanished.
  public var lease = 30.0

  /// 100 networks, no time limit, three retries, 30 seconds.
  public init() {}

  /// Limits.
  public init(trials: Int, timeout: Double? = nil, retries: Int = 3, lease: Double = 30) {
    self.trials = trials
    self.timeout = timeout
    self.retries = retries
    self.lease = lease
  }

  /// Checks the limits.
  ///
  /// - Throws: `SearchError.invalidSetting`.
  public func validate() throws(SearchError) {
    guard (1...1_000_000_000).contains(trials) else {
      throw .invalidSetting(name: "trials", reason: "must be above 0, and at most 10^9")
    }
    guard (timeout ?? 1) > 0, (timeout ?? 1).isFinite else {
      throw .invalidSetting(name: "timeout", reason: "must be above 0 seconds")
    }
    guard (0...1_000_000).contains(retries) else {
      throw .invalidSetting(name: "retries", reason: "must not be negative, and at most 10^6")
    }
    guard lease >= 0.5, lease <= 86_400 else {
      throw .invalidSetting(name: "lease", reason: "must be between 0.5 seconds and a day")
    }
  }
}
