// SPDX-License-Identifier: Apache-2.0
public import MUXSearch

/// How a study came to where it is, kept up to date trial by trial: the front, the hypervolume and
/// the best g of each target after every evaluation. Adding a trial costs no look at the ones before
/// it, but for the front, so that ten thousand are no burden.
public struct StudyHistory: Sendable {
  /// A value that holds from an evaluation on until the next step.
  public struct Step: Sendable, Hashable {
    /// How many trials were complete.
    public var count: Int
    /// The value from then on.
    public var value: Double

    /// A step.
    public init(count: Int, value: Double) {
      self.count = count
      self.value = value
    }
  }

  /// A target's or direction's best network.
  public struct Leader: Sendable, Hashable {
    /// The trial.
    public var trial: Trial
    /// g of PBI with θ = 5 and z* at the origin.
    public var value: Double
  }

  /// What is minimised.
  public let objectives: [Objective]
  /// The names of the targets or directions.
  public let targets: [String]
  /// The trials with results, in the order in which they were added.
  public private(set) var completed: [Trial] = []
  /// The hypervolume (see ``StudyStandings/hypervolume``) wherever it grew.
  public private(set) var hypervolume: [Step] = []
  /// For each target, the least g wherever it fell.
  public private(set) var best: [[Step]]
  /// For each target, the network of the least g; nil before the first.
  public private(set) var leaders: [Leader?]
  /// The positions in ``completed`` of the trials that no other one dominates.
  public private(set) var front: [Int] = []

  private let decomposition: Decomposition
  /// The front of all points, also of trials that break measured constraints, over the scales.
  private var volumeFront: [[Double]] = []
  private var volume = 0.0

  /// The beginning of a study.
  ///
  /// - Throws: `SearchError` for targets that do not fit.
  public init(_ definition: StudyDefinition) throws(SearchError) {
    objectives = definition.objectives
    decomposition = try definition.decomposition()
    targets = decomposition.names
    best = targets.map { _ in [] }
    leaders = targets.map { _ in nil }
  }

  /// The history of a study with these trials; those without results are passed over.
  ///
  /// - Throws: `SearchError` for targets that do not fit.
  public init(_ definition: StudyDefinition, trials: [Trial]) throws(SearchError) {
    try self.init(definition)
    for trial in trials.sorted(by: { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }) {
      add(trial)
    }
  }

  /// Adds a trial that finished after all others; one without results changes nothing.
  public mutating func add(_ trial: Trial) {
    guard trial.state == .complete, let values = trial.objectives,
      values.count == objectives.count
    else { return }
    completed.append(trial)
    let point = zip(values, objectives).map { $0 / $1.scale }
    addVolume(point)
    guard trial.violation <= 0 else { return }
    for index in targets.indices {
      let value = decomposition.value(point, index)
      guard value < leaders[index]?.value ?? .infinity else { continue }
      leaders[index] = Leader(trial: trial, value: value)
      best[index].append(Step(count: completed.count, value: value))
    }
    let isBeaten = front.contains {
      NonDominatedSorting.dominates(completed[$0].objectives ?? [], values)
    }
    guard !isBeaten else { return }
    front.removeAll { NonDominatedSorting.dominates(values, completed[$0].objectives ?? []) }
    front.append(completed.count - 1)
  }

  /// The point's own part of the volume is its box less what the front covers of it.
  private mutating func addVolume(_ point: [Double]) {
    let corner = StudyStandings.hypervolumeReference
    guard point.allSatisfy({ $0 < corner }),
      !volumeFront.contains(where: { $0 == point || NonDominatedSorting.dominates($0, point) })
    else { return }
    let reference = point.map { _ in corner }
    let box = point.reduce(1) { $0 * (corner - $1) }
    let covered = volumeFront.map { zip($0, point).map { max($0, $1) } }
    let whole = reference.reduce(1, *)
    volume += (box - Indicators.hypervolume(covered, reference: reference)) / whole
    volumeFront.removeAll { NonDominatedSorting.dominates(point, $0) }
    volumeFront.append(point)
    hypervolume.append(Step(count: completed.count, value: volume))
  }

  /// g of a trial for a target.
  public func value(_ trial: Trial, target: Int) -> Double {
    let point = zip(trial.objectives ?? [], objectives).map { $0 / $1.scale }
    return decomposition.value(point, target)
  }

  /// The positions in ``completed`` of the `share` of all trials that come nearest to the targets:
  /// an equal number for each of them, at least one, by g.
  public func nearest(share: Double) -> [Int] {
    let places = completed.indices.filter { completed[$0].violation <= 0 }
    let count = max(1, Int(Double(places.count) * share / Double(max(1, targets.count))))
    var found: Set<Int> = []
    for target in targets.indices {
      // The least `count` values, sorted; few of many trials get in, so that this is one pass.
      var least: [(value: Double, place: Int)] = []
      for place in places {
        let value = value(completed[place], target: target)
        if least.count == count, value >= least[count - 1].value { continue }
        let index = least.firstIndex { value < $0.value } ?? least.count
        least.insert((value, place), at: index)
        if least.count > count { least.removeLast() }
      }
      found.formUnion(least.map(\.place))
    }
    return found.sorted()
  }
}
