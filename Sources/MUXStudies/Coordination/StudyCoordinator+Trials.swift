// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXSearch
import Synchronization

extension StudyCoordinator {
  /// Gives a worker its next trial, which may be one that a vanished worker left.
  ///
  /// - Throws: ``StudyError``; ``StudyError/alwaysFails(study:count:reason:)`` where it makes no
  ///   sense to go on.
  public func next(of study: Study, for worker: ProcessIdentity) throws -> NextTrial {
    var made: Search?
    let next = try write(study) { transaction, study -> NextTrial in
      made = nil
      let now = try transaction.now()
      try expireLeases(transaction, study, now)
      let running = try transaction.trials(of: study.id, in: [.running], limit: nil)
      if let own = running.first(where: { $0.worker == worker.description }) {
        // Given out already, but the answer was lost on the way.
        return .trial(TrialLease(study: study, trial: own, worker: worker))
      }
      for state in [TrialState.stale, .waiting] {
        if let trial = try transaction.trials(of: study.id, in: [state], limit: 1).first {
          return .trial(try lease(trial, worker, transaction, study, now))
        }
      }
      let counts = try transaction.counts(of: study.id)
      let nothing: NextTrial = running.isEmpty ? .done : .wait
      guard counts.values.reduce(0, +) < study.definition.limits.trials else { return nothing }
      try checkForHope(transaction, study, counts)
      var search = try self.search(transaction, study)
      guard let candidate = try ask(&search, transaction, study) else { return nothing }
      let trial = Trial(candidate, created: now)
      try transaction.insert(trial, into: study.id)
      made = search
      return .trial(try lease(trial, worker, transaction, study, now))
    }
    if let made { searches.withLock { $0[study.id] = made } }
    return next
  }

  func lease(
    _ trial: Trial, _ worker: ProcessIdentity, _ transaction: any StudyTransaction, _ study: Study,
    _ now: Date
  ) throws -> TrialLease {
    var taken = trial
    taken.state = .running
    taken.worker = worker.description
    taken.attempt += 1
    taken.started = now
    taken.leaseEnd = now.addingTimeInterval(study.definition.limits.lease)
    taken.reason = nil
    try transaction.update(taken, of: study.id)
    return TrialLease(study: study, trial: taken, worker: worker)
  }

  /// Prolongs a lease.
  ///
  /// - Throws: ``StudyError/leaseLost(study:number:)`` if another worker has the trial by now, or it
  ///   was given up; ``StudyError/unknownStudy(name:nearest:count:)`` if the study is gone.
  public func renew(_ lease: TrialLease) throws {
    try write(lease.study) { transaction, study in
      var trial = try held(lease, transaction)
      trial.state = .running
      trial.leaseEnd = try transaction.now().addingTimeInterval(study.definition.limits.lease)
      try transaction.update(trial, of: study.id)
    }
  }

  /// Keeps what came of an evaluation. Objectives that are no finite numbers, or
  /// out of range (an error above 100 percent, negative sizes), make it a failure.
  ///
  /// - Throws: ``StudyError/leaseLost(study:number:)`` if another worker has the trial by now.
  public func finish(
    _ lease: TrialLease, _ outcome: TrialOutcome, attributes: [String: String] = [:]
  ) throws {
    try write(lease.study) { transaction, study in
      if let known = try transaction.trial(lease.trial.number, of: study.id),
        known.state.isFinished, known.worker == lease.worker.description,
        known.attempt == lease.trial.attempt
      {
        return  // Kept already, but the answer was lost on the way.
      }
      var trial = try held(lease, transaction)
      switch study.definition.checked(outcome) {
      case .complete(let objectives, let violation):
        trial.state = .complete
        trial.objectives = objectives
        trial.violation = violation
      case .pruned(let objectives, let reason):
        trial.state = .pruned
        trial.objectives = objectives
        trial.reason = reason
      case .failed(let reason):
        trial.state = .failed
        trial.reason = reason
      }
      trial.attributes.merge(attributes) { $1 }
      try finish(&trial, transaction, study)
    }
  }

  func finish(
    _ trial: inout Trial, _ transaction: any StudyTransaction, _ study: Study
  ) throws {
    let counts = try transaction.counts(of: study.id)
    trial.finished = try transaction.now()
    trial.finishOrder = TrialState.allCases.filter(\.isFinished).reduce(0) {
      $0 + (counts[$1] ?? 0)
    }
    trial.leaseEnd = nil
    trial.isTold = false
    try transaction.update(trial, of: study.id)
  }

  /// Puts a trial back for another worker, without counting the attempt.
  ///
  /// - Throws: ``StudyError/leaseLost(study:number:)``.
  public func release(_ lease: TrialLease) throws {
    try write(lease.study) { transaction, study in
      var trial = try held(lease, transaction)
      trial.state = .waiting
      trial.attempt -= 1
      trial.worker = nil
      trial.leaseEnd = nil
      try transaction.update(trial, of: study.id)
    }
  }

  /// Takes in what a training has reached and decides whether it goes on.
  ///
  /// - Throws: ``StudyError``.
  public func report(
    _ lease: TrialLease, resource: Int, objectives: [Double]
  ) throws -> ParetoHalving.Decision {
    try write(lease.study) { transaction, study in
      _ = try held(lease, transaction)
      let report = TrialReport(
        trial: lease.trial.number, resource: resource, objectives: objectives)
      guard objectives.allSatisfy(\.isFinite) else { return .proceed }
      let earlier = try transaction.reports(of: study.id, resource: resource, trial: nil)
      try transaction.insert(report, into: study.id)
      guard let settings = study.definition.earlyStopping else { return .proceed }
      var halving = try ParetoHalving(
        objectives: study.definition.objectives, goal: study.definition.goal, settings: settings)
      for known in earlier where known.trial != report.trial {
        _ = try halving.report(
          trial: known.trial, resource: resource, objectives: known.objectives)
      }
      return try halving.report(
        trial: report.trial, resource: resource, objectives: objectives)
    }
  }

  /// The trial, if the worker still has it. A stale one that nobody took counts as held.
  func held(
    _ lease: TrialLease, _ transaction: any StudyTransaction
  ) throws -> Trial {
    guard let trial = try transaction.trial(lease.trial.number, of: lease.study.id),
      trial.state == .running || trial.state == .stale, trial.attempt == lease.trial.attempt,
      trial.worker == lease.worker.description
    else {
      throw StudyError.leaseLost(study: lease.study.name, number: lease.trial.number)
    }
    return trial
  }

  func checkForHope(
    _ transaction: any StudyTransaction, _ study: Study, _ counts: [TrialState: Int]
  ) throws {
    let failed = counts[.failed] ?? 0
    guard failed >= Self.failuresBeforeStop, counts[.complete] ?? 0 == 0,
      counts[.pruned] ?? 0 == 0
    else { return }
    let last = try transaction.finishedTrials(of: study.id, from: failed - 1).last
    throw StudyError.alwaysFails(
      study: study.name, count: failed, reason: last?.reason ?? "no reason")
  }
}

extension StudyDefinition {
  /// Objectives that count or measure something, and so are never negative.
  private static let sizes: Set<String> = ["params", "madds", "latency"]

  /// An outcome with objectives that are wrong in number or cannot be turned into a failure.
  func checked(_ outcome: TrialOutcome) -> TrialOutcome {
    let values: [Double]
    switch outcome {
    case .complete(let objectives, let violation):
      guard violation.isFinite else { return .failed(reason: "the violation is \(violation)") }
      values = objectives
    case .pruned(let objectives, _): values = objectives
    case .failed: return outcome
    }
    guard values.count == objectives.count else {
      return .failed(
        reason: "the evaluation gave \(values.count) objectives instead of \(objectives.count)")
    }
    for (objective, value) in zip(objectives, values) where !value.isFinite {
      return .failed(reason: "'\(objective.name)' is \(value), not a finite number")
    }
    for (objective, value) in zip(objectives, values) {
      if objective.name == "error", !(0...100).contains(value) {
        return .failed(reason: "'error' is \(value), not from 0 to 100 percent")
      }
      if Self.sizes.contains(objective.name), value < 0 {
        return .failed(reason: "'\(objective.name)' is \(value), below 0")
      }
    }
    return outcome
  }
}
