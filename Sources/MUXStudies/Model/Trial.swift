// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXCore
public import MUXSearch

/// One network of a study and what became of it.
public struct Trial: Sendable, Hashable, Codable {
  /// The trial's number in its study, from 0; also the candidate's number in its algorithm.
  public var number: Int
  /// Where it stands.
  public var state: TrialState
  /// The network as a point of the study's space.
  public var genome: Genome
  /// The network's key; unique in the study.
  public var key: ArchitectureKey
  /// The target or direction for which it was made.
  public var subproblem: Int?
  /// The objectives in natural units, in the study's order.
  public var objectives: [Double]?
  /// By how much measured constraints are broken.
  public var violation = 0.0
  /// How often a worker has begun it.
  public var attempt = 0
  /// The worker that has, or had, it.
  public var worker: String?
  /// Until when the worker's lease holds without another heart-beat.
  public var leaseEnd: Date?
  /// When it was asked for.
  public var created: Date
  /// When its last attempt began.
  public var started: Date?
  /// When it was finished.
  public var finished: Date?
  /// The trial's place in the order of finishing, from 0.
  public var finishOrder: Int?
  /// Whether the algorithm knows the result.
  public var isTold = false
  /// Why it failed or was pruned.
  public var reason: String?
  /// Whatever users and evaluations want to remember.
  public var attributes: [String: String] = [:]

  /// A trial of a candidate, waiting for a worker.
  public init(_ candidate: Candidate, created: Date) {
    number = candidate.id
    state = .waiting
    genome = candidate.genome
    key = candidate.key
    subproblem = candidate.subproblem
    self.created = created
  }

  init(
    number: Int, state: TrialState, genome: Genome, key: ArchitectureKey, subproblem: Int?,
    created: Date
  ) {
    self.number = number
    self.state = state
    self.genome = genome
    self.key = key
    self.subproblem = subproblem
    self.created = created
  }

  /// Seconds from the beginning of the last attempt to its end; nil where the storage's clock was set
  /// back in between and the worker did not measure them.
  public var seconds: Double? {
    if let took = attributes[Self.tookKey].flatMap(Double.init), took.isFinite, took >= 0 {
      return took
    }
    guard let span else { return nil }
    return span < 0 ? nil : span
  }

  /// The time between the two dates, by the storage's clock.
  private var span: Double? {
    guard let started, let finished else { return nil }
    return finished.timeIntervalSince(started)
  }

  /// The attribute with the seconds that a worker measured, where the storage's clock says otherwise.
  static let tookKey = "took"

  /// Keeps the seconds that a worker measured, if the storage's clock was set in between (or the machine
  /// slept); false if there is no need.
  mutating func note(seconds: Double) -> Bool {
    guard let span, abs(span - seconds) > max(5, seconds / 10) else { return false }
    attributes[Self.tookKey] = NumberText.fixed(seconds, decimals: 1)
    return true
  }

  /// The attribute that says for how many seconds a trial is held without heart-beats.
  static let heldKey = "held"

  /// Whether an attribute is kept by the study itself, so that none of an evaluation or a user has its name.
  static func isReserved(_ key: String) -> Bool { key == tookKey || key == heldKey }

  /// For how many seconds it is held without heart-beats; nil for one that a worker has.
  var heldSeconds: Double? { Self.heldSeconds(attributes) }

  /// The same from a trial's attributes.
  static func heldSeconds(_ attributes: [String: String]) -> Double? {
    attributes[heldKey].flatMap(Double.init).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
  }

  /// Stale instead of running where the lease is over but no one has noted it yet.
  public func state(at now: Date) -> TrialState {
    state == .running && (leaseEnd ?? .distantFuture) < now ? .stale : state
  }
}

/// A running trial without its network: who has it, and until when.
public struct RunningTrial: Sendable, Hashable {
  /// The trial's number.
  public var number: Int
  /// The worker that holds it; nil while nobody does.
  public var worker: String?
  /// Until when the worker's lease holds without another heart-beat.
  public var leaseEnd: Date?
  /// For how many seconds it is held without heart-beats; nil for one that a worker has.
  public var heldSeconds: Double?

  /// What is needed of a trial.
  public init(_ trial: Trial) {
    number = trial.number
    worker = trial.worker
    leaseEnd = trial.leaseEnd
    heldSeconds = trial.heldSeconds
  }

  init(number: Int, worker: String?, leaseEnd: Date?, heldSeconds: Double?) {
    self.number = number
    self.worker = worker
    self.leaseEnd = leaseEnd
    self.heldSeconds = heldSeconds
  }
}

/// What a training had reached on its way: the basis of early stopping.
public struct TrialReport: Sendable, Hashable, Codable {
  /// The trial's number.
  public var trial: Int
  /// Epochs (or another unit) done.
  public var resource: Int
  /// The objectives at that moment, in natural units.
  public var objectives: [Double]

  /// A report.
  public init(trial: Int, resource: Int, objectives: [Double]) {
    self.trial = trial
    self.resource = resource
    self.objectives = objectives
  }
}
