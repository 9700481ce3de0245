// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXSearch

/// What a study has come to: what terminals, reports and dashboards show.
public struct StudyStandings: Sendable {
  /// The best network for a target or direction.
  public struct Best: Sendable, Hashable {
    /// The name of the target or direction.
    public var target: String
    /// The network's trial.
    public var trial: Trial
    /// g of PBI with θ = 5 and z* at the origin: smaller is better.
    public var value: Double
  }

  /// The study.
  public let study: Study
  /// How many trials are in each state.
  public let counts: [TrialState: Int]
  /// The trials with results, in the order of finishing.
  public let completed: [Trial]
  private let decomposition: Decomposition

  /// The corner of ``hypervolume`` over the objectives' scales.
  public static let hypervolumeReference = 1.1

  /// The standings of a study; `trials` are all or at least the finished ones.
  ///
  /// - Throws: `SearchError`.
  public init(
    _ study: Study, trials: [Trial], counts: [TrialState: Int]? = nil
  ) throws(SearchError) {
    self.study = study
    self.counts = counts ?? trials.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    completed = trials.filter { $0.state == .complete && $0.objectives != nil }
      .sorted { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }
    decomposition = try study.definition.decomposition()
  }

  /// Trials that are through, whatever came of them.
  public var finishedCount: Int {
    counts.reduce(0) { $0 + ($1.key.isFinished ? $1.value : 0) }
  }

  /// The generation under way, from 1, and how many there will be.
  public var generation: (current: Int, total: Int) {
    let size = max(1, study.definition.population)
    let total = max(0, study.definition.limits.trials - 1) / size + 1
    return (min(finishedCount / size + 1, total), total)
  }

  /// The objectives of the completed trials over their scales.
  public var points: [[Double]] {
    completed.map { zip($0.objectives ?? [], study.definition.objectives).map { $0 / $1.scale } }
  }

  /// The completed trials that no other one dominates, by the first objective.
  public var front: [Trial] {
    let feasible = completed.filter { $0.violation <= 0 }
    return NonDominatedSorting.front(feasible.map { $0.objectives ?? [] }).map { feasible[$0] }
      .sorted { ($0.objectives?.first ?? 0, $0.number) < ($1.objectives?.first ?? 0, $1.number) }
  }

  /// The volume that the completed trials dominate, up to 1.1 times each objective's scale; 1 would
  /// be all of it.
  public var hypervolume: Double { volume(points) }

  /// ``hypervolume`` after each of the completed trials, or after every `step`th.
  public func hypervolumeHistory(step: Int = 1) -> [(count: Int, value: Double)] {
    let points = points
    return stride(from: step, through: points.count, by: step).map {
      ($0, volume(Array(points.prefix($0))))
    }
  }

  private func volume(_ points: [[Double]]) -> Double {
    let corner = Self.hypervolumeReference
    let reference = study.definition.objectives.map { _ in corner }
    let whole = reference.reduce(1, *)
    return Indicators.hypervolume(points, reference: reference) / whole
  }

  /// The best network for each target, empty before the first result. Networks that break measured
  /// constraints count only where there is no other.
  public var best: [Best] {
    let feasible = completed.filter { $0.violation <= 0 }
    let candidates = feasible.isEmpty ? completed : feasible
    let points = candidates.map {
      zip($0.objectives ?? [], study.definition.objectives).map { $0 / $1.scale }
    }
    guard let found = Indicators.best(points, decomposition) else { return [] }
    return zip(decomposition.names, found).map {
      Best(target: $0, trial: candidates[$1.index], value: $1.value)
    }
  }
}

extension StudyCoordinator {
  /// The standings of a study now.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  public func standings(of study: Study) throws -> StudyStandings {
    let (fresh, trials, now) = try retry {
      try store.read { transaction in
        (
          try transaction.study(named: study.name),
          try transaction.trials(of: study.id, in: [], limit: nil), try transaction.now()
        )
      }
    }
    let shown = trials.map { trial in
      var trial = trial
      trial.state = trial.state(at: now)
      return trial
    }
    return try StudyStandings(fresh ?? study, trials: shown)
  }
}
