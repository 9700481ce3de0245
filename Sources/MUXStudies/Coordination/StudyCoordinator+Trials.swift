// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXSearch
import Synchronization

extension StudyCoordinator {
  /// What a transaction on the way to a trial comes to.
  private enum Step {
    case found(NextTrial)
    case measure(UnmeasuredNetwork, definition: StudyDefinition, revision: Int)
    /// Other processes have gone on by more steps than are gone through under a lock.
    case behind
  }

  /// A network that was measured and keeps its limits, and the revision at which it was proposed.
  private struct Offer {
    var network: UnmeasuredNetwork
    var revision: Int
  }

  /// Gives a worker its next trial, which may be one that a vanished worker left.
  ///
  /// Where limits have to be measured, a first transaction says of which network; it is measured while
  /// no lock is held, and a second transaction takes it or goes on to the next one. Nothing is lost if
  /// the process ends in between: the algorithm proposes the same network again.
  ///
  /// - Parameters:
  ///   - study: The study.
  ///   - worker: Who gets the trial.
  ///   - shouldStop: Asked between two measurements; true ends the search for a network.
  /// - Throws: ``StudyError``; ``StudyError/alwaysFails(study:count:reason:)`` where it makes no
  ///   sense to go on.
  public func next(
    of study: Study, for worker: ProcessIdentity, shouldStop: () -> Bool = { false }
  ) throws -> NextTrial {
    try saveState(of: study)
    // Who had to follow many others the last time has to do so again.
    let behind = searches.withLock { searches in
      defer { searches[study.id]?.behind = 0 }
      return searches[study.id]?.behind ?? 0
    }
    if behind > Self.fewSteps { try catchUp(with: study) }
    var verdicts = LimitVerdicts()
    var offer: Offer?
    var catches = 0
    while true {
      switch try step(study, worker, verdicts, offer, mayBeBehind: catches < 3) {
      case .found(let next): return next
      case .behind:
        catches += 1
        try catchUp(with: study)
      case .measure(let network, let definition, let revision):
        if shouldStop() { return .wait }
        let isKept = try keepsLimits(network, of: definition)
        verdicts[network.key] = isKept
        offer = isKept ? Offer(network: network, revision: revision) : nil
      }
    }
  }

  private func step(
    _ study: Study, _ worker: ProcessIdentity, _ verdicts: LimitVerdicts, _ offer: Offer?,
    mayBeBehind: Bool
  ) throws -> Step {
    var made: Search?
    let result = try write(study) { transaction, study -> Step in
      made = nil
      let now = try transaction.now()
      let running = try expireLeases(transaction, study, now).running
      let name = worker.description
      if let place = running.first(where: { $0.worker == name })?.number,
        let own = try transaction.trial(place, of: study.id)
      {
        // Given out already, but the answer was lost on the way.
        return .found(.trial(TrialLease(study: study, trial: own, worker: worker)))
      }
      for state in [TrialState.stale, .waiting] {
        if let trial = try transaction.trials(of: study.id, in: [state], limit: 1).first {
          return .found(.trial(try lease(trial, worker, transaction, study, now)))
        }
      }
      let nothing = Step.found(running.isEmpty ? .done : .wait)
      guard try transaction.totals(of: study.id).trials < study.definition.limits.trials else {
        return nothing
      }
      try refuseIfAllFailed(transaction, study)
      var near = try self.search(transaction, study, within: Self.fewSteps * 4)
      if near == nil {
        if mayBeBehind { return .behind }
        near = try self.search(transaction, study)
      }
      // Taken out of the other name: it is changed in place only where it is the one copy.
      guard var search = near.take() else { return nothing }
      defer { made = search }
      switch try ask(&search, transaction, study, verdicts, offer) {
      case .candidate(let candidate):
        let trial = Trial(candidate, created: now)
        try transaction.insert(trial, into: study.id)
        return .found(.trial(try lease(trial, worker, transaction, study, now)))
      case .unmeasured(let network):
        return .measure(network, definition: study.definition, revision: search.revision)
      case .exhausted: return nothing
      }
    }
    keep(made, of: study)
    return result
  }

  /// Tells the algorithm what came since, asks it for a network, and adds both as a step.
  private func ask(
    _ search: inout Search, _ transaction: any StudyTransaction, _ study: Study,
    _ verdicts: LimitVerdicts, _ offer: Offer?
  ) throws -> Proposal {
    let hasMoved = offer.map { $0.revision != search.revision } ?? false
    var step = AlgorithmStep(told: try tell(&search, transaction, study))
    if step.told.isEmpty, search.exhausted == search.revision { return .exhausted }
    var proposal = Proposal.exhausted
    if hasMoved || !step.told.isEmpty, let network = offer?.network,
      let candidate = search.algorithm.adopt(network)
    {
      // Others went on meanwhile; what was measured is as good as what they would have left.
      step.ask = .init(number: candidate.id, adopted: network)
      proposal = .candidate(candidate)
    } else {
      proposal = search.algorithm.next(given: verdicts)
      let refused = verdicts.refused
      switch proposal {
      case .candidate(let candidate):
        step.ask = .init(number: candidate.id, refused: refused.isEmpty ? nil : refused)
      case .exhausted: step.ask = .init(number: nil, refused: refused.isEmpty ? nil : refused)
      case .unmeasured: break
      }
    }
    if !step.told.isEmpty || step.ask != nil { try add(step, to: &search, transaction, study) }
    if case .exhausted = proposal { search.exhausted = search.revision }
    return proposal
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
      trial.reason = nil
      trial.leaseEnd = try transaction.now().addingTimeInterval(study.definition.limits.lease)
      try transaction.update(trial, of: study.id)
    }
  }

  /// Keeps what came of an evaluation. Objectives that are no finite numbers, or
  /// out of range (an error above 100 percent, negative sizes), make it a failure.
  ///
  /// - Parameters:
  ///   - lease: The worker's right to the trial.
  ///   - outcome: What came of it.
  ///   - attributes: What else to remember with the trial.
  ///   - seconds: How long it took by a clock that nobody sets; nil where nobody measured that.
  /// - Throws: ``StudyError/leaseLost(study:number:)`` if another worker has the trial by now.
  public func finish(
    _ lease: TrialLease, _ outcome: TrialOutcome, attributes: [String: String] = [:],
    seconds: Double? = nil
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
        trial.reason = nil
      case .pruned(let objectives, let reason):
        trial.state = .pruned
        trial.objectives = objectives
        trial.reason = reason
      case .failed(let reason):
        trial.state = .failed
        trial.reason = reason
      }
      trial.attributes[Trial.heldKey] = nil
      for (key, value) in attributes {
        trial.attributes[Trial.isReserved(key) ? "evaluation.\(key)" : key] = value
      }
      try finish(&trial, transaction, study)
      if let seconds, trial.note(seconds: seconds) {
        try transaction.update(trial, of: study.id)
      }
    }
  }

  func finish(
    _ trial: inout Trial, _ transaction: any StudyTransaction, _ study: Study
  ) throws {
    trial.finished = try transaction.now()
    trial.finishOrder = try transaction.totals(of: study.id).finished
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
      guard objectives.allSatisfy({ $0.isFinite }) else { return .proceed }
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

  /// Refuses to ask for more networks where all evaluations have failed.
  func refuseIfAllFailed(_ transaction: any StudyTransaction, _ study: Study) throws {
    let finished = try transaction.totals(of: study.id).finished
    guard finished >= Self.failuresBeforeStop,
      try transaction.trials(of: study.id, in: [.complete], limit: 1).isEmpty,
      try transaction.trials(of: study.id, in: [.pruned], limit: 1).isEmpty
    else { return }
    let last = try transaction.finishedTrials(of: study.id, from: finished - 1).last
    throw StudyError.alwaysFails(
      study: study.name, count: finished, reason: last?.reason ?? "no reason")
  }
}

extension StudyDefinition {
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
    for (objective, value) in zip(objectives, values) {
      if let defect = objective.metric.defect(of: value) {
        return .failed(reason: "'\(objective.name)' \(defect)")
      }
    }
    return outcome
  }
}
