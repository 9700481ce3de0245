// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXSearch
import Synchronization

/// Works on the trials of studies until they are done: leases, evaluates, sends heart-beats, tells.
public final class StudyWorker {
  /// Why a worker ended.
  public enum Ending: Sendable, Hashable {
    /// The studies have all their trials.
    case done
    /// It was asked to; its trial went back to the queue.
    case stopped
    /// An evaluation went over its time and did not even return when asked to. Its thread still runs,
    /// so the process should be replaced by a fresh one.
    case hung
  }

  /// What a worker tells its surroundings.
  public enum Event: Sendable {
    /// A trial begins.
    case began(Trial)
    /// A trial ended, and how.
    case ended(Trial, TrialOutcome)
    /// Something that the user should know, in one line.
    case notice(String)
  }

  /// The worker's name among all others.
  public let identity: ProcessIdentity
  private let coordinator: StudyCoordinator
  private let makeEvaluator: (Study) throws -> any TrialEvaluator
  private let observer: (Event) -> Void
  private var evaluators: [Int: (evaluator: any TrialEvaluator, problem: SearchProblem)] = [:]
  /// Seconds that an evaluation gets to return after it was asked to.
  public var grace = 10.0
  /// Seconds between two looks at the clock and the wish to stop.
  public var tick = 0.05
  /// The program's version. With one, the worker works only beside others of the same; nil for anywhere.
  public var version: String?

  /// A worker.
  ///
  /// - Parameters:
  ///   - coordinator: The operations on the storage; its patience is the worker's.
  ///   - identity: The worker's name.
  ///   - makeEvaluator: Makes what evaluates the trials of a study, once for each study.
  ///   - observer: Told what happens.
  public init(
    _ coordinator: StudyCoordinator, identity: ProcessIdentity = .current(),
    observer: @escaping (Event) -> Void = { _ in },
    makeEvaluator: @escaping (Study) throws -> any TrialEvaluator
  ) {
    self.coordinator = coordinator
    self.identity = identity
    self.observer = observer
    self.makeEvaluator = makeEvaluator
  }

  /// Works on the studies, in this order, until all are done or `shouldStop` says so.
  ///
  /// - Throws: ``StudyError``: the storage is away for too long, or no evaluation ever succeeds.
  public func run(_ studies: [Study], shouldStop: @escaping @Sendable () -> Bool) throws -> Ending {
    var open = studies
    if let version {
      open = try studies.filter { study in
        do {
          try coordinator.agree(onVersion: version, of: study)
          return true
        } catch let error as StudyError where error.isOtherVersion && studies.count > 1 {
          observer(.notice("\(error)"))
          return false
        }
      }
    }
    while true {
      if shouldStop() { return .stopped }
      var found = false
      for study in open {
        switch try next(study, isAlone: studies.count == 1, shouldStop) {
        case .trial(let lease):
          found = true
          if let ending = try work(on: lease, shouldStop: shouldStop) { return ending }
        case .wait: continue
        case .done: open.removeAll { $0.id == study.id }
        }
        if found { break }
      }
      if open.isEmpty { return .done }
      if !found {
        // Others work on the last trials; they may come back.
        Stopwatch.rest(0.25, tick: tick, until: shouldStop)
      }
    }
  }

  private func next(
    _ study: Study, isAlone: Bool, _ shouldStop: () -> Bool
  ) throws -> NextTrial {
    do {
      return try coordinator.next(of: study, for: identity, shouldStop: shouldStop)
    } catch StudyError.unknownStudy {
      observer(.notice("study '\(study.name)' was deleted"))
      return .done
    } catch let error as StudyError where error.isDamage && !isAlone {
      // The other studies are worth working on.
      observer(.notice("\(error)"))
      return .done
    }
  }

  /// Evaluates one trial; gives an ending if there shall be no other one.
  private func work(
    on lease: TrialLease, shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Ending? {
    do { try coordinator.checkVersion(version, of: lease.study) } catch {
      try? coordinator.release(lease)
      throw error
    }
    observer(.began(lease.trial))
    let request: EvaluationRequest
    let evaluator: any TrialEvaluator
    do {
      let parts = try parts(for: lease.study)
      request = EvaluationRequest(
        study: lease.study, trial: lease.trial, problem: parts.problem)
      evaluator = parts.evaluator
    } catch {
      // Nothing that this worker could ever evaluate; others may.
      try? coordinator.release(lease)
      throw error
    }
    let coordinator = coordinator
    let context = EvaluationContext { resource, values in
      try coordinator.report(
        lease, resource: resource, objectives: try request.objectives(measured: values))
    }
    let evaluation = Evaluating(request, evaluator, context, coordinator.latency)
    var took = Stopwatch()
    evaluation.start()
    switch watch(evaluation, lease, shouldStop) {
    case .returned(let outcome):
      try finish(lease, outcome, context, seconds: took.seconds())
      return nil
    case .timedOut(let seconds):
      context.cancel()
      let isBack = evaluation.wait(seconds: grace)
      let outcome = TrialOutcome.failed(reason: "took longer than \(Self.text(seconds)) s")
      try finish(lease, outcome, context, seconds: took.seconds())
      return isBack ? nil : .hung
    case .lost:
      observer(.notice("trial \(lease.trial.number) was given to another worker"))
      context.cancel()
      return evaluation.wait(seconds: grace) ? nil : .hung
    case .stopped:
      context.cancel()
      _ = evaluation.wait(seconds: grace)
      do {
        try coordinator.release(lease)
      } catch let error as StudyError {
        observer(.notice("trial \(lease.trial.number) could not be put back: \(error)"))
      }
      return .stopped
    }
  }

  private func parts(
    for study: Study
  ) throws -> (evaluator: any TrialEvaluator, problem: SearchProblem) {
    if let known = evaluators[study.id] { return known }
    let made = (try makeEvaluator(study), try study.definition.problem())
    evaluators[study.id] = made
    return made
  }

  private func finish(
    _ lease: TrialLease, _ outcome: TrialOutcome, _ context: EvaluationContext, seconds: Double
  ) throws {
    do {
      try coordinator.finish(
        lease, outcome, attributes: context.attributes, seconds: seconds)
      observer(.ended(lease.trial, lease.study.definition.checked(outcome)))
    } catch StudyError.leaseLost {
      observer(
        .notice("trial \(lease.trial.number) was given to another worker; its result is dropped"))
    } catch StudyError.unknownStudy {
      observer(.notice("study '\(lease.study.name)' was deleted; a result is dropped"))
    }
  }

  private enum Watched {
    case returned(TrialOutcome), timedOut(Double), lost, stopped
  }

  /// Waits for an evaluation, sending heart-beats.
  private func watch(
    _ evaluation: Evaluating, _ lease: TrialLease, _ shouldStop: () -> Bool
  ) -> Watched {
    let limits = lease.study.definition.limits
    var watch = Stopwatch()
    var nextBeat = limits.lease / 4
    // The heart must not stop to wait for a storage; the next beat may reach it.
    let heart = StudyCoordinator(coordinator.store)
    while !evaluation.wait(seconds: tick) {
      if shouldStop() { return .stopped }
      let now = watch.seconds()
      if let timeout = limits.timeout, now > timeout { return .timedOut(timeout) }
      guard now >= nextBeat else { continue }
      nextBeat = now + limits.lease / 4
      do {
        try heart.renew(lease)
      } catch StudyError.leaseLost, StudyError.unknownStudy {
        return .lost
      } catch {
        observer(.notice("a heart-beat did not arrive: \(error)"))
      }
    }
    return .returned(evaluation.outcome)
  }

  private static func text(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }
}

/// One evaluation on a thread of its own.
private final class Evaluating: Sendable {
  private let request: EvaluationRequest
  private let evaluator: any TrialEvaluator
  private let context: EvaluationContext
  private let latency: (any LatencyMeasure)?
  private let result = Mutex<TrialOutcome?>(nil)
  private let isDone = TimedSemaphore()

  init(
    _ request: EvaluationRequest, _ evaluator: any TrialEvaluator, _ context: EvaluationContext,
    _ latency: (any LatencyMeasure)?
  ) {
    self.request = request
    self.evaluator = evaluator
    self.context = context
    self.latency = latency
  }

  func start() {
    let thread = Thread { [self] in
      let outcome = evaluate()
      result.withLock { $0 = outcome }
      isDone.signal()
    }
    thread.stackSize = 16 << 20
    thread.start()
  }

  /// Whether the evaluation has returned, after waiting for it.
  func wait(seconds: Double) -> Bool {
    if result.withLock({ $0 != nil }) { return true }
    _ = isDone.wait(seconds: seconds)
    return result.withLock { $0 != nil }
  }

  var outcome: TrialOutcome {
    result.withLock { $0 } ?? .failed(reason: "the evaluation has not returned")
  }

  private func evaluate() -> TrialOutcome {
    do {
      if let latency, request.problem.objectives.contains(where: { $0.metric == .latency }),
        let architecture = try request.architecture()
      {
        context.provide(.latency, try latency.milliseconds(architecture))
      }
      let measured = context.measured.merging(try evaluator.evaluate(request, context)) { $1 }
      let objectives = try request.objectives(measured: measured)
      for (name, value) in request.notes(measured: measured) { context.note(name, value) }
      if let reason = context.pruned { return .pruned(objectives: objectives, reason: reason) }
      return .complete(objectives: objectives, violation: measured["violation"] ?? 0)
    } catch {
      let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      return .failed(reason: line)
    }
  }
}
