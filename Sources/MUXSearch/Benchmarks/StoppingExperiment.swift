// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Whether it pays to stop trainings early: the same search at equal cost with and without, on cells that
/// were trained for 12 and for 200 epochs (NATS-Bench).
///
/// The first 12 epochs cost ``share`` of a training, the rest what is left of it. Only networks that were
/// trained to the end count as found.
package struct StoppingExperiment: Sendable {
  /// What 12 of 200 epochs cost.
  package static let share = 0.06

  /// After 200 epochs.
  package let table: TabularBenchmark
  /// After 12 epochs.
  package let early: TabularBenchmark
  /// The reference points.
  package let targets: [ReferenceTarget]
  /// What may be spent, in whole trainings.
  package var budgets = [100, 300]
  /// The runs; seeds are 0, 1, ….
  package var seeds = 50
  /// How early stopping decides: once, after 12 epochs.
  package var halving: ParetoHalving.Settings = {
    var settings = ParetoHalving.Settings()
    settings.firstRung = NATSBench.Epochs.short.rawValue
    return settings
  }()

  /// An experiment on both tables of a data set.
  package init(_ table: TabularBenchmark, early: TabularBenchmark, targets: [ReferenceTarget]) {
    self.table = table
    self.early = early
    self.targets = targets
  }

  /// The runs of a contestant, with early stopping or with every network trained to the end. The search is
  /// told of a stopped training what it had reached, as in a study.
  package func run(
    _ contestant: SearchExperiment.Contestant, stops: Bool
  ) throws(SearchError) -> [SearchExperiment.Row] {
    var rows: [SearchExperiment.Row] = []
    for seed in 0..<seeds { rows += try run(contestant, stops, seed: seed) }
    return rows
  }

  private func run(
    _ contestant: SearchExperiment.Contestant, _ stops: Bool, seed: Int
  ) throws(SearchError) -> [SearchExperiment.Row] {
    let goal = SearchGoal.targets(targets)
    let problem = try table.problem()
    let measure = try Decomposition(goal, objectives: table.objectives)
    var algorithm = try contestant.settings.make(problem, goal: goal, seed: UInt64(seed))
    var stopping = try ParetoHalving(
      objectives: table.objectives, goal: goal, settings: halving)
    var best = [Double](repeating: .infinity, count: measure.count)
    var rows: [SearchExperiment.Row] = []
    var spent = 0.0
    var left = budgets.sorted()[...]
    // Sums of shares fall short of whole numbers by rounding.
    let slack = 1e-6
    while let budget = left.first, let candidate = algorithm.ask() {
      guard let final = table.evaluate(candidate.genome),
        let first = early.evaluate(candidate.genome)
      else {
        try algorithm.tell([.failed(id: candidate.id)])
        continue
      }
      var isStopped = false
      if stops {
        let decision = try stopping.report(
          trial: candidate.id, resource: halving.firstRung, objectives: first)
        isStopped = decision == .stop
      }
      let cost = isStopped ? Self.share : 1
      if spent + cost > Double(budget) + slack {
        rows.append(row(contestant, stops, budget, seed, best))
        left.removeFirst()
      }
      spent += cost
      try algorithm.tell([
        Evaluation(id: candidate.id, objectives: isStopped ? first : final)
      ])
      if isStopped { continue }
      let point = problem.normalized(final)
      for target in best.indices { best[target] = min(best[target], measure.value(point, target)) }
    }
    for budget in left { rows.append(row(contestant, stops, budget, seed, best)) }
    return rows
  }

  private func row(
    _ contestant: SearchExperiment.Contestant, _ stops: Bool, _ budget: Int, _ seed: Int,
    _ best: [Double]
  ) -> SearchExperiment.Row {
    let name = contestant.name + (stops ? "-stopped" : "")
    return SearchExperiment.Row(
      table: table.name, algorithm: name, budget: budget, seed: seed, best: best, seconds: .nan)
  }
}
