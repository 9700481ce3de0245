// SPDX-License-Identifier: Apache-2.0

/// A worker's right to evaluate a trial, until it finishes or stops sending heart-beats.
public struct TrialLease: Sendable, Hashable {
  /// The study, as it was when the trial was given out.
  public let study: Study
  /// The trial as it was when the lease began.
  public let trial: Trial
  /// The worker that holds the lease; no other one may report on the trial.
  public let worker: ProcessIdentity
}

/// What there is for a worker to do.
public enum NextTrial: Sendable, Hashable {
  /// A trial.
  case trial(TrialLease)
  /// Nothing yet: others work on the last trials, which may come back if those workers vanish.
  case wait
  /// Nothing any more: the study has all its trials.
  case done
}

/// What came of an evaluation.
public enum TrialOutcome: Sendable, Hashable {
  /// The objectives in natural units.
  case complete(objectives: [Double], violation: Double = 0)
  /// Stopped early, with the objectives of the moment.
  case pruned(objectives: [Double], reason: String)
  /// No objectives.
  case failed(reason: String)
}
