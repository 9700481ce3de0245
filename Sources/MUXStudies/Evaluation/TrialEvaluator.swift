// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXNetworks
public import MUXSearch
import Synchronization

/// Finds the objectives of a network that cannot be computed from it: trains it, runs a program,
/// looks it up.
///
/// An evaluation runs on a thread of its own, and may be abandoned there if it does not end in time.
public protocol TrialEvaluator: Sendable {
  /// The measured values by the names of the objectives; those that follow from the network may be
  /// left out, and are never replaced by other values. `violation` may be among them.
  ///
  /// - Throws: anything; the trial fails with the error's text as reason.
  func evaluate(_ request: EvaluationRequest, _ context: EvaluationContext) throws
    -> [String: Double]
}

/// What is to be evaluated.
public struct EvaluationRequest: Sendable {
  /// The study, as it was when the trial was given out.
  public let study: Study
  /// The trial to evaluate, with its genome.
  public let trial: Trial
  /// The space and the objectives.
  public let problem: SearchProblem

  /// A request.
  public init(study: Study, trial: Trial, problem: SearchProblem) {
    self.study = study
    self.trial = trial
    self.problem = problem
  }

  /// The network, nil where the space is a table, or the settings of a list name it.
  ///
  /// - Throws: `NetworkError`.
  public func architecture() throws -> Architecture? {
    if let point { return try point.network.parsed() }
    guard let domain = problem.domain as? NetworkDomain else { return nil }
    return try domain.architecture(
      trial.genome, name: "\(domain.space.name)-\(trial.number)")
  }

  /// The network and the seed of the study's list; nil for a search.
  public var point: (network: StudyGrid.Entry, seed: UInt64)? {
    study.definition.grid?.point(of: trial.genome)
  }

  /// The objectives that follow from the network, by name.
  public var knownValues: [String: Double] {
    let values = problem.domain.knownObjectives(of: trial.genome) ?? []
    var known: [String: Double] = [:]
    for (objective, value) in zip(problem.objectives, values) where value.isFinite {
      known[objective.name] = value
    }
    return known
  }

  /// All objectives in order, from what was measured and what is known.
  ///
  /// What is known exactly stands, whatever was measured: see `overruled(measured:)`.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` with the name of one that is missing, or that cannot
  ///   be, since nothing from such an evaluation can be trusted.
  public func objectives(measured: [String: Double]) throws -> [Double] {
    let known = knownValues
    return try problem.objectives.map { objective in
      if let value = known[objective.name] {
        if let other = measured[objective.name], let defect = objective.metric.defect(of: other) {
          throw StudyError.evaluation(reason: "'\(objective.name)' \(defect)")
        }
        return value
      }
      guard let value = measured[objective.name] else {
        let others = measured.keys.filter { name in
          name != Self.violation && !problem.objectives.contains { $0.name == name }
        }.sorted()
        throw StudyError.evaluation(
          reason: "the evaluation gave no '\(objective.name)'"
            + (others.isEmpty ? "" : ", but \(others.joined(separator: ", "))"))
      }
      return value
    }
  }

  /// The name of a measured value that says by how much constraints are broken.
  public static let violation = "violation"

  /// What is to be remembered of measured values beside the objectives: those of other names, and those
  /// that are not used since the value follows from the network.
  func notes(measured: [String: Double]) -> [String: String] {
    var notes: [String: String] = [:]
    for (name, value) in overruled(measured: measured) { notes["ignored.\(name)"] = "\(value)" }
    for (name, value) in measured
    where name != Self.violation && !problem.objectives.contains(where: { $0.name == name }) {
      notes[name] = "\(value)"
    }
    return notes
  }

  /// The measured values of objectives that are known exactly and differ from them: they are not
  /// used, but noted, since the evaluation may have looked at another network.
  func overruled(measured: [String: Double]) -> [String: Double] {
    let known = knownValues
    return measured.filter { name, value in known[name].map { $0 != value } ?? false }
  }
}

/// What an evaluation should know of the world around it, and tell to it.
public final class EvaluationContext: Sendable {
  private struct State: Sendable {
    var isCancelled = false
    var pruned: String?
    var attributes: [String: String] = [:]
    var measured: [String: Double] = [:]
  }

  private let state = Mutex(State())
  private let onReport: @Sendable (Int, [String: Double]) throws -> ParetoHalving.Decision

  /// A context; `onReport` decides about early stopping.
  public init(
    onReport: @escaping @Sendable (Int, [String: Double]) throws -> ParetoHalving.Decision = {
      _, _ in .proceed
    }
  ) {
    self.onReport = onReport
  }

  /// Whether nobody wants the result any more: return soon, with anything.
  public var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// Asks the evaluation to return soon.
  public func cancel() { state.withLock { $0.isCancelled = true } }

  /// Tells what was reached after `resource` epochs. If the answer is to stop, return the values of
  /// the moment; the trial then counts as pruned.
  ///
  /// - Throws: ``StudyError`` if the storage does not answer, or the trial is no longer ours.
  public func report(
    _ resource: Int, _ values: [String: Double]
  ) throws -> ParetoHalving.Decision {
    let decision = try onReport(resource, measured.merging(values) { $1 })
    if decision == .stop {
      state.withLock { $0.pruned = "not among the best after \(resource) epochs" }
    }
    return decision
  }

  /// Adds a value that was measured apart from the evaluation.
  func provide(_ metric: Metric, _ value: Double) {
    state.withLock { $0.measured[metric.name] = value }
  }

  /// The values that were measured apart from the evaluation.
  var measured: [String: Double] { state.withLock { $0.measured } }

  /// Adds an attribute to the trial.
  public func note(_ key: String, _ value: String) {
    state.withLock { $0.attributes[key] = value }
  }

  /// Why the evaluation was stopped early, if it was.
  public var pruned: String? { state.withLock { $0.pruned } }

  /// The attributes so far.
  public var attributes: [String: String] { state.withLock { $0.attributes } }
}
