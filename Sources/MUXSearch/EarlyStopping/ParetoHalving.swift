// SPDX-License-Identifier: Apache-2.0

/// Asynchronous successive halving (Li et al. 2020) for several objectives: a training that is not
/// among the best share of those that came as far as it stops there.
///
/// With targets, every target keeps its own share by g, so that a small network is not stopped for
/// being less accurate than a large one. Without targets the order is that of NSGA-II: non-dominated
/// rank, then crowding.
public struct ParetoHalving: Sendable, Codable {
  /// What a training should do.
  public enum Decision: String, Sendable, Hashable, Codable {
    /// Go on.
    case proceed
    /// Stop here.
    case stop
  }

  /// The settings.
  public struct Settings: Sendable, Hashable, Codable {
    /// The epochs (or other units) before the first decision.
    public var firstRung = 1
    /// η: decisions follow at firstRung·η, firstRung·η², …, and one in η goes on.
    public var reduction = 3
    /// The reports at a rung before anyone is stopped there.
    public var patience = 4

    /// First decision after one epoch, one in three goes on.
    public init() {}
  }

  private struct Report: Sendable, Codable {
    var trial: Int
    var objectives: [Double]
  }

  /// The settings.
  public let settings: Settings
  private let objectives: [Objective]
  private let decomposition: Decomposition?
  private var rungs: [Int: [Report]] = [:]

  /// Early stopping for a search; `goal` is that of its algorithm.
  ///
  /// - Throws: ``SearchError`` for targets or settings that do not fit.
  public init(
    objectives: [Objective], goal: SearchGoal? = nil, settings: Settings = Settings()
  ) throws(SearchError) {
    guard settings.firstRung > 0, settings.reduction > 1, settings.patience > 0 else {
      throw .invalidSetting(
        name: "early stopping",
        reason: "the first rung and the patience must be above 0, the reduction above 1")
    }
    self.settings = settings
    self.objectives = objectives
    if case .targets = goal, let goal {
      decomposition = try Decomposition(goal, objectives: objectives)
    } else {
      decomposition = nil
    }
  }

  /// Whether a decision is due after `resource` epochs.
  public func isRung(_ resource: Int) -> Bool {
    var rung = settings.firstRung
    while rung < resource { rung *= settings.reduction }
    return rung == resource
  }

  /// Takes in what a training has reached after `resource` epochs (natural units, costs included) and
  /// decides. Between rungs, and for a repeated report of one trial, the training goes on.
  ///
  /// - Throws: ``SearchError`` for a wrong number of objectives or values that are not finite.
  public mutating func report(
    trial: Int, resource: Int, objectives values: [Double]
  ) throws(SearchError) -> Decision {
    guard values.count == objectives.count else {
      throw .wrongObjectiveCount(id: trial, expected: objectives.count, actual: values.count)
    }
    for (objective, value) in zip(objectives, values) where !value.isFinite {
      throw .notFinite(id: trial, objective: objective.name, value: "\(value)")
    }
    guard isRung(resource), !(rungs[resource] ?? []).contains(where: { $0.trial == trial }) else {
      return .proceed
    }
    let point = zip(values, objectives).map { $1.coordinate($0) }
    rungs[resource, default: []].append(Report(trial: trial, objectives: point))
    let reports = rungs[resource] ?? []
    guard reports.count >= settings.patience else { return .proceed }
    return survives(reports.map(\.objectives)) ? .proceed : .stop
  }

  /// Whether the last point is among the best share.
  private func survives(_ points: [[Double]]) -> Bool {
    let last = points.count - 1
    guard let decomposition else {
      let room = max(1, points.count / settings.reduction)
      var better = 0
      for front in NonDominatedSorting.fronts(points) {
        if let own = front.firstIndex(of: last) {
          let crowding = NonDominatedSorting.crowding(front.map { points[$0] })
          better += crowding.indices.count { crowding[$0] > crowding[own] }
          return better < room
        }
        better += front.count
        if better >= room { return false }
      }
      return false
    }
    let room = max(1, points.count / (settings.reduction * decomposition.count))
    return (0..<decomposition.count).contains { subproblem in
      let own = decomposition.value(points[last], subproblem)
      let better = points.indices.count {
        $0 != last && decomposition.value(points[$0], subproblem) <= own
      }
      return better < room
    }
  }
}
