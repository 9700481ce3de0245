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

  /// A target's or direction's best network: of those on the front the one of the least value, so that
  /// no other network of the study is better in everything.
  public struct Leader: Sendable, Hashable {
    /// The trial whose network leads.
    public var trial: Trial
    /// g of PBI with θ = 5 and z* at the origin; within a budget what it makes small as a coordinate, and
    /// outside more than that of any network within.
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
  /// For each target, the value of its best network wherever that changed.
  public private(set) var best: [[Step]]
  /// For each target, its best network; nil before the first.
  public private(set) var leaders: [Leader?]
  /// The positions in ``completed`` of the trials that no other one dominates.
  public private(set) var front: [Int] = []

  /// How often each choice was tried by the trials in ``completed``, and with what.
  package private(set) var choices: ChoiceStatistics

  private let decomposition: Decomposition
  /// The coordinates of ``completed``.
  private var points: [[Double]] = []
  /// The positions of the ``leaders`` in ``completed``.
  private var leaderPlaces: [Int?]
  /// The front of all points, also of trials that break measured constraints, over the scales.
  private var volumeFront: [[Double]] = []
  private var volume = 0.0
  /// The corner of the ``hypervolume`` as coordinates: 1.1 times each scale, or of the first network where
  /// that is beyond, so that a search that begins far outside is not at 0 for good.
  public private(set) var corner: [Double] = []

  /// The beginning of a study.
  ///
  /// - Throws: `SearchError` for targets that do not fit.
  public init(_ definition: StudyDefinition) throws(SearchError) {
    objectives = definition.objectives
    decomposition = try definition.decomposition()
    targets = decomposition.names
    choices = ChoiceStatistics(
      choices: definition.geneChoices, objectives: definition.objectives.count)
    best = targets.map { _ in [] }
    leaders = targets.map { _ in nil }
    leaderPlaces = targets.map { _ in nil }
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
    choices.add(trial.genome, values: values)
    let point = zip(values, objectives).map { $1.coordinate($0) }
    points.append(point)
    addVolume(point)
    guard trial.violation <= 0 else { return }
    let isBeaten = front.contains { NonDominatedSorting.dominates(points[$0], point) }
    guard !isBeaten else { return }
    front.removeAll { NonDominatedSorting.dominates(point, points[$0]) }
    front.append(completed.count - 1)
    for index in targets.indices { lead(index, point) }
  }

  /// Lets the newest network of the front compete for a target.
  private mutating func lead(_ target: Int, _ point: [Double]) {
    let value = decomposition.value(point, target)
    var place = completed.count - 1
    var least = value
    if let leader = leaders[target], let old = leaderPlaces[target] {
      if !NonDominatedSorting.dominates(point, points[old]) {
        guard value < leader.value else { return }
      } else if value > leader.value {
        // What was nearest is beaten in everything, by one that is farther: of those left, the nearest.
        for other in front {
          let otherValue = decomposition.value(points[other], target)
          if otherValue < least { (place, least) = (other, otherValue) }
        }
      }
    }
    leaders[target] = Leader(trial: completed[place], value: least)
    leaderPlaces[target] = place
    if best[target].last?.value != least {
      best[target].append(Step(count: completed.count, value: least))
    }
  }

  /// The point's own part of the volume is its box less what the front covers of it.
  private mutating func addVolume(_ point: [Double]) {
    if corner.isEmpty {
      let factor = StudyStandings.hypervolumeReference
      corner = point.map { $0 < factor ? factor : $0 * factor }
    }
    guard zip(point, corner).allSatisfy({ $0 < $1 }),
      !volumeFront.contains(where: { $0 == point || NonDominatedSorting.dominates($0, point) })
    else { return }
    let reference = corner
    let box = zip(corner, point).reduce(1) { $0 * ($1.0 - $1.1) }
    let covered = volumeFront.map { zip($0, point).map { max($0, $1) } }
    let whole = reference.reduce(1, *)
    volume += (box - Indicators.hypervolume(covered, reference: reference)) / whole
    volumeFront.removeAll { NonDominatedSorting.dominates(point, $0) }
    volumeFront.append(point)
    hypervolume.append(Step(count: completed.count, value: volume))
  }

  /// The place of the objective that a budget makes small; nil for a direction.
  public func aim(ofTarget target: Int) -> Int? { decomposition.budget(target)?.aim }

  /// The best value within a budget, in natural units, wherever it changed.
  public func valuesWithinBudget(_ target: Int) -> [Step] {
    guard let budget = decomposition.budget(target) else { return [] }
    return best[target].filter { Budget.excess(in: $0.value) == nil }.map {
      Step(count: $0.count, value: objectives[budget.aim].value(at: $0.value))
    }
  }

  /// The value of a trial for a target; see ``Leader/value``.
  public func value(_ trial: Trial, target: Int) -> Double {
    let point = zip(trial.objectives ?? [], objectives).map { $1.coordinate($0) }
    return decomposition.value(point, target)
  }

  /// The positions in ``completed`` of the trials that are best for a target where all break measured
  /// constraints: of those that break them least the one of the least value.
  func leastBroken(target: Int) -> Leader? {
    let least = completed.reduce(Double.infinity) { min($0, $1.violation) }
    let places = completed.indices.filter { completed[$0].violation == least }
    let front = NonDominatedSorting.front(places.map { points[$0] }).map { places[$0] }
    return front.map {
      Leader(trial: completed[$0], value: decomposition.value(points[$0], target))
    }.min { $0.value < $1.value }
  }

  /// The positions in ``completed`` of the `share` of all trials that come nearest to the targets:
  /// an equal number for each of them, at least one, by g.
  public func nearest(share: Double) -> [Int] {
    let places = completed.indices.filter { completed[$0].violation <= 0 }
    let count = max(1, Int(Double(places.count) * share / Double(max(1, targets.count))))
    var found: Set<Int> = []
    for target in targets.indices {
      let values = places.map { decomposition.value(points[$0], target) }
      // The least `count` values; of equal ones the first.
      guard let limit = Self.value(at: count - 1, of: values) else { continue }
      var rest = count - values.count { $0 < limit }
      for (place, value) in zip(places, values) {
        if value < limit {
          found.insert(place)
        } else if value == limit, rest > 0 {
          rest -= 1
          found.insert(place)
        }
      }
    }
    return found.sorted()
  }

  /// The value that would stand at a place if all were sorted; nil where there are none. It takes a time in
  /// proportion to their number.
  private static func value(at place: Int, of values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let place = min(place, values.count - 1)
    var rest = values
    return rest.withUnsafeMutableBufferPointer { rest in
      var low = 0
      var high = rest.count - 1
      while low < high {
        let pivot = rest[(low + high) / 2]
        var left = low
        var right = high
        while left <= right {
          while rest[left] < pivot { left += 1 }
          while rest[right] > pivot { right -= 1 }
          guard left <= right else { break }
          rest.swapAt(left, right)
          left += 1
          right -= 1
        }
        if place <= right {
          high = right
        } else if place >= left {
          low = left
        } else {
          break
        }
      }
      return rest[place]
    }
  }
}
