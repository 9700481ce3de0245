// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The paper's figure 9 on a table: how near several algorithms come to each reference point within
/// equal budgets of evaluated networks, over many seeds.
public struct SearchExperiment: Sendable {
  /// An algorithm under a name.
  public struct Contestant: Sendable {
    /// The name in results.
    public var name: String
    /// Which algorithm runs, and how.
    public var settings: AlgorithmSettings
    /// Whether it may use the costs that follow from a network without evaluating it.
    public var knowsCosts: Bool

    /// An algorithm under a name.
    public init(_ name: String, _ settings: AlgorithmSettings, knowsCosts: Bool = true) {
      self.name = name
      self.settings = settings
      self.knowsCosts = knowsCosts
    }
  }

  /// What one run attained within a budget.
  public struct Row: Sendable, Hashable {
    /// The name of the table that was searched.
    public var table: String
    /// The contestant's name.
    public var algorithm: String
    /// The networks evaluated.
    public var budget: Int
    /// The run's seed.
    public var seed: Int
    /// The least g for each reference point.
    public var best: [Double]
    /// The processor time of the whole run up to the largest budget, in seconds; NaN if it was not
    /// measured.
    public var seconds: Double

    /// A row.
    public init(
      table: String, algorithm: String, budget: Int, seed: Int, best: [Double], seconds: Double
    ) {
      self.table = table
      self.algorithm = algorithm
      self.budget = budget
      self.seed = seed
      self.best = best
      self.seconds = seconds
    }

    /// The mean of ``best``.
    public var mean: Double { best.reduce(0, +) / Double(best.count) }
  }

  /// What is searched, and where the results are looked up.
  public var table: any BenchmarkTable
  /// The reference points.
  public var targets: [ReferenceTarget]
  /// The networks that may be evaluated; one run gives the figures of all budgets, since no setting
  /// depends on them.
  public var budgets = [100, 300, 1000]
  /// The number of runs of each contestant; the seeds are 0, 1, ….
  public var seeds = 50

  /// An experiment on a table.
  public init(_ table: any BenchmarkTable, targets: [ReferenceTarget]) {
    self.table = table
    self.targets = targets
  }

  /// The contestants of the reported benchmark. Ours stands three times: as studies have it, with the quick
  /// settings that suit tables, and without the costs that the other algorithms do not use either. Regularized evolution stands twice: with the published population of 50, and with a small one
  /// that leaves its random start within 33 networks.
  public static let contestants: [Contestant] = {
    var small = RegularizedEvolution.Settings()
    small.population = 10
    return [
      Contestant("guided", .guided(.thorough)), Contestant("guided-quick", .guided()),
      Contestant("guided-blind", .guided(.thorough), knowsCosts: false),
      Contestant("moead", .moead()),
      Contestant("local", .local()), Contestant("evolution", .evolution()),
      Contestant("evolution-10", .evolution(small)), Contestant("nsga2", .nsga2()),
      Contestant("random", .random),
    ]
  }()

  /// The sub-problems by which all runs are measured: z* at the origin, θ = 5.
  public func measure() throws(SearchError) -> Decomposition {
    try Decomposition(.targets(targets), objectives: table.objectives)
  }

  /// The runs of one contestant, seed by seed.
  public func run(_ contestant: Contestant) throws(SearchError) -> [Row] {
    var rows: [Row] = []
    for seed in 0..<seeds { rows += try run(contestant, seed: seed) }
    return rows
  }

  /// One run, one evaluation at a time.
  public func run(_ contestant: Contestant, seed: Int) throws(SearchError) -> [Row] {
    let problem = try SearchProblem(
      domain: contestant.knowsCosts ? table.domain : BlindDomain(base: table.domain),
      objectives: table.objectives)
    let measure = try measure()
    let start = clock()
    var algorithm = try contestant.settings.make(
      problem, goal: .targets(targets), seed: UInt64(seed))
    var values: [[Double]] = []
    let most = budgets.max() ?? 0
    values.reserveCapacity(most)
    while values.count < most, let candidate = algorithm.ask() {
      guard let objectives = table.evaluate(candidate.genome) else {
        try algorithm.tell([.failed(id: candidate.id)])
        continue
      }
      try algorithm.tell([Evaluation(id: candidate.id, objectives: objectives)])
      values.append(objectives)
    }
    let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
    var best = [Double](repeating: .infinity, count: measure.count)
    var rows: [Row] = []
    for (index, objectives) in values.enumerated() {
      let point = problem.normalized(objectives)
      for target in best.indices { best[target] = min(best[target], measure.value(point, target)) }
      guard budgets.contains(index + 1) else { continue }
      rows.append(
        Row(
          table: table.name, algorithm: contestant.name, budget: index + 1, seed: seed, best: best,
          seconds: seconds))
    }
    return rows
  }
}

/// A space of which nothing is known without evaluation.
private struct BlindDomain: SearchDomain {
  let base: any SearchDomain

  var genes: [Gene] { base.genes }
  var cheapest: Genome? { base.cheapest }
  func canonical(_ genome: Genome) -> Genome? { base.canonical(genome) }
  func key(of canonical: Genome) -> ArchitectureKey { base.key(of: canonical) }
  func admits(_ canonical: Genome) -> Bool { base.admits(canonical) }
}
