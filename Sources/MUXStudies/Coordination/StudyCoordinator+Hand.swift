// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXSearch

/// Asking and telling by hand: for schedulers of clusters and other programs that start evaluations
/// themselves. Nobody sends heart-beats for such a trial; it is held for a time that was asked for.
extension StudyCoordinator {
  /// Gives out trials, as many as there are up to `count`, each held for so many seconds.
  ///
  /// - Throws: ``StudyError``, as ``next(of:for:shouldStop:)``.
  public func ask(_ study: Study, count: Int, holding seconds: Double) throws -> [TrialLease] {
    guard seconds > 0, seconds <= 31_536_000, count > 0 else {
      throw StudyError.evaluation(
        reason: "trials are asked for one by one or more, and held for up to a year, not for"
          + " \(seconds) s")
    }
    var leases: [TrialLease] = []
    while leases.count < count {
      // A machine that does not exist, so that nobody takes the process for dead.
      let own = ProcessIdentity.current()
      let worker = ProcessIdentity(host: "hand@\(own.host)", process: own.process, nonce: own.nonce)
      guard case .trial(let lease) = try next(of: study, for: worker) else { break }
      let held = try write(study) { transaction, study -> Trial in
        var trial = try self.held(lease, transaction)
        trial.attributes[Trial.heldKey] = "\(seconds)"
        trial.leaseEnd = try transaction.now().addingTimeInterval(seconds)
        try transaction.update(trial, of: study.id)
        return trial
      }
      leases.append(TrialLease(study: lease.study, trial: held, worker: worker))
    }
    return leases
  }

  /// The lease of a trial that ``ask(_:count:holding:)`` gave out.
  ///
  /// - Throws: ``StudyError/unknownTrial(study:number:count:)``;
  ///   ``StudyError/wrongState(study:number:state:expected:)`` for one that is not running;
  ///   ``StudyError/evaluation(reason:)`` for one that a worker has.
  public func lease(ofAsked number: Int, of study: Study) throws -> TrialLease {
    let (trial, count) = try retry {
      try store.read { transaction in
        (
          try transaction.trial(number, of: study.id),
          try transaction.totals(of: study.id).trials
        )
      }
    }
    guard let trial else {
      throw StudyError.unknownTrial(study: study.name, number: number, count: count)
    }
    guard trial.state == .running || trial.state == .stale else {
      throw StudyError.wrongState(
        study: study.name, number: number, state: trial.state, expected: "running")
    }
    guard trial.heldSeconds != nil, let worker = trial.worker.flatMap(ProcessIdentity.init) else {
      throw StudyError.evaluation(
        reason: "trial \(number) of study '\(study.name)' is worked on by"
          + " \(trial.worker ?? "a worker"); only a trial that was asked for by hand can be told")
    }
    return TrialLease(study: study, trial: trial, worker: worker)
  }

  /// Keeps the values of a trial that was asked for by hand; what is no objective becomes an attribute.
  ///
  /// - Throws: ``StudyError``: no such trial, not running, an objective without a value, or a value that
  ///   cannot be. The trial goes on then.
  public func tell(
    _ number: Int, of study: Study, _ values: [String: Double], notes: [String: String] = [:]
  ) throws {
    let lease = try lease(ofAsked: number, of: study)
    let request = try request(for: lease)
    let objectives = try request.objectives(measured: values)
    let violation = values[EvaluationRequest.violation] ?? 0
    if case .failed(let reason) = study.definition.checked(
      .complete(objectives: objectives, violation: violation))
    {
      throw StudyError.evaluation(reason: reason)
    }
    try finish(
      lease, .complete(objectives: objectives, violation: violation),
      attributes: notes.merging(request.notes(measured: values)) { old, _ in old })
  }

  /// Ends a trial that was asked for by hand without values.
  ///
  /// - Throws: ``StudyError``.
  public func tell(_ number: Int, of study: Study, failed reason: String) throws {
    try finish(try lease(ofAsked: number, of: study), .failed(reason: reason))
  }

  /// Takes in what a trial that was asked for by hand has reached, and holds it for as long again.
  ///
  /// - Throws: ``StudyError``.
  public func report(
    _ number: Int, of study: Study, resource: Int, _ values: [String: Double]
  ) throws -> ParetoHalving.Decision {
    let lease = try lease(ofAsked: number, of: study)
    let objectives = try request(for: lease).objectives(measured: values)
    let decision = try report(lease, resource: resource, objectives: objectives)
    try write(study) { transaction, study in
      var trial = try held(lease, transaction)
      trial.state = .running
      trial.leaseEnd = try transaction.now().addingTimeInterval(
        trial.heldSeconds ?? study.definition.limits.lease)
      try transaction.update(trial, of: study.id)
    }
    return decision
  }

  private func request(for lease: TrialLease) throws -> EvaluationRequest {
    EvaluationRequest(
      study: lease.study, trial: lease.trial, problem: try lease.study.definition.problem())
  }
}
