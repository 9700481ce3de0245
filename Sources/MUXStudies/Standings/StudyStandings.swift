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
    /// See ``StudyHistory/Leader/value``: smaller is better.
    public var value: Double
    /// How its values compare with those that the target names; nil for a direction of the whole front.
    public var fit: TargetFit?
  }

  /// The study as it was when its trials were read.
  public let study: Study
  /// The number of trials in each state; a state that is absent has none.
  public let counts: [TrialState: Int]
  /// How it came to that: the trials with results, the front, the best of each target.
  public let history: StudyHistory

  /// The corner of ``hypervolume`` over the objectives' scales.
  static let hypervolumeReference = 1.1

  /// The standings of a study; `trials` are all or at least the finished ones.
  ///
  /// - Throws: `SearchError`.
  public init(
    _ study: Study, trials: [Trial], counts: [TrialState: Int]? = nil
  ) throws(SearchError) {
    self.init(
      study, try StudyHistory(study.definition, trials: trials),
      counts: counts ?? trials.reduce(into: [:]) { $0[$1.state, default: 0] += 1 })
    lastReason =
      trials.filter { $0.state == .failed }
      .max { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }?.reason
  }

  /// Why the last trial that failed did; nil where none did, or that is not known.
  public private(set) var lastReason: String?

  /// The standings of a study whose history is known.
  init(_ study: Study, _ history: StudyHistory, counts: [TrialState: Int]) {
    self.study = study
    self.history = history
    self.counts = counts
  }

  /// The trials with results, in the order of finishing.
  public var completed: [Trial] { history.completed }

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

  /// The completed trials that no other one dominates, by the first objective.
  public var front: [Trial] {
    history.front.map { history.completed[$0] }
      .sorted { ($0.objectives?.first ?? 0, $0.number) < ($1.objectives?.first ?? 0, $1.number) }
  }

  /// The volume that the completed trials dominate, up to 1.1 times each objective's scale, or the first
  /// network's value where that is beyond; 1 would be all of it.
  public var hypervolume: Double { history.hypervolume.last?.value ?? 0 }

  /// The best network for each target, empty before the first result. No other network of the study is
  /// better in everything. Networks that break measured
  /// constraints count only where there is no other.
  public var best: [Best] {
    history.targets.indices.compactMap { index in
      guard let leader = history.leaders[index] ?? history.leastBroken(target: index) else {
        return nil
      }
      return Best(
        target: history.targets[index], trial: leader.trial, value: leader.value,
        fit: study.definition.target(index).map {
          TargetFit(leader.trial, $0, study.definition.objectives)
        })
    }
  }

  /// The names of the targets within whose values a trial lies.
  public func targetsHolding(_ trial: Trial) -> [String] {
    history.targets.indices.compactMap { index in
      guard let target = study.definition.target(index),
        TargetFit(trial, target, study.definition.objectives).isWithin
      else { return nil }
      return target.name
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
