// SPDX-License-Identifier: Apache-2.0

/// Finds the networks with the largest expected improvement over the best of a sub-problem.
///
/// The objectives that are not known have a normal distribution around their predictions (in the
/// models' transformed units), moved together; the expectation is a five-point Gauss-Hermite sum.
package struct ExpectedGain {
  /// A network with what it promises.
  package struct Promise: Sendable, Codable {
    package var genome: Genome
    /// The expected improvement.
    package var gain: Double
    /// g at the predictions.
    package var value: Double

    /// Where no network promises a gain, the one that comes nearest is still worth asking for.
    @inline(__always)
    func isBetter(than other: Promise) -> Bool {
      gain > other.gain || (gain == other.gain && value < other.value)
    }
  }

  private static let offset = 2.856970013872806
  private static let nearOffset = 1.355626179974266
  private static let weight = 0.01125741132772071
  private static let nearWeight = 0.2220759220056126
  private static let middleWeight = 0.5333333333333333

  /// The best networks, the best first.
  package private(set) var promises: [Promise]
  private let count: Int
  private let best: Double
  private let theta: Double
  private let budget: Budget?
  /// The excess of the known objectives of the network at hand over the budget.
  private var excess = 0.0
  /// The aim of the budget, where that is known.
  private var aim = 0.0
  /// The objectives that are known, and those that are predicted.
  private let given: [Axis]
  private let predicted: [Axis]
  private let models: [ObjectiveModel]
  private let boldness: Double
  /// Σ of the squares of the direction over the known objectives.
  private let givenLength: Double
  /// Of the network at hand: its known coordinates along the direction, and their squares.
  private var along = 0.0
  private var squared = 0.0
  private var means: [Double]
  /// The deviations of the predictions.
  private var deviations: [Double]

  /// An objective of the sub-problem.
  private struct Axis {
    var index: Int
    var objective: Objective
    var ideal: Double
    var direction: Double
  }

  /// Keeps the `count` best of `promises` (the best first) and the networks that it will see.
  package init(
    _ count: Int, after promises: [Promise], of decomposition: Decomposition, subproblem: Int,
    best: Double, objectives: [Objective], models: [ObjectiveModel?], boldness: Double
  ) {
    self.count = count
    self.promises = promises
    self.best = best
    theta = decomposition.theta
    budget = decomposition.budget(subproblem)
    let axes = objectives.indices.map { index in
      Axis(
        index: index, objective: objectives[index], ideal: decomposition.ideal[index],
        direction: decomposition.directions[subproblem][index])
    }
    given = axes.filter { models[$0.index] == nil }
    predicted = axes.filter { models[$0.index] != nil }
    self.models = models.compactMap { $0 }
    self.boldness = boldness
    givenLength = given.reduce(0) { $0 + $1.direction * $1.direction }
    means = self.models.map { _ in 0 }
    deviations = means
  }

  /// Looks at a network; `known` holds its known objectives in natural units, NaN for the others.
  /// `isNew` is only asked for networks that would be kept, which are few.
  package mutating func consider(_ genome: Genome, known: [Double]?, isNew: () -> Bool) {
    along = 0
    squared = 0
    excess = 0
    for axis in given {
      let coordinate = axis.objective.coordinate(known?[axis.index] ?? 0)
      if let limit = budget?.limits[axis.index], coordinate > limit {
        excess += coordinate / limit - 1
      }
      if budget?.aim == axis.index { aim = coordinate }
      let rest = coordinate - axis.ideal
      along += rest * axis.direction
      squared += rest * rest
    }
    let cannotImprove = leastValue >= best
    if cannotImprove, promises.count == count, promises[count - 1].gain > 0 { return }
    for place in models.indices {
      (means[place], deviations[place]) = models[place].prediction(genome, boldness: boldness)
    }
    var promise = Promise(genome: genome, gain: 0, value: value(at: 0))
    if !cannotImprove {
      promise.gain = gain(of: promise.value)
      // Deviations that are sharper and dearer, where that can matter: gains grow with them.
      if models.contains(where: \.boundsDeviation), isKept(promise) {
        for place in models.indices {
          deviations[place] = models[place].deviation(of: genome, boldness: boldness)
        }
        promise.gain = gain(of: promise.value)
      }
    }
    keep(promise, isNew)
  }

  private func isKept(_ promise: Promise) -> Bool {
    promises.count < count || promise.isBetter(than: promises[promises.count - 1])
  }

  private mutating func keep(_ promise: Promise, _ isNew: () -> Bool) {
    var place = promises.count
    guard isKept(promise) else { return }
    while place > 0, promise.isBetter(than: promises[place - 1]) { place -= 1 }
    if place > 0, promises[place - 1].value == promise.value,
      promises[place - 1].genome == promise.genome
    {
      return
    }
    guard isNew() else { return }
    if promises.count == count { promises.removeLast() }
    promises.insert(promise, at: place)
  }

  /// The expected gain where g is `value` at the predictions.
  private func gain(of value: Double) -> Double {
    Self.middleWeight * max(0, best - value)
      + Self.nearWeight * (gain(at: -Self.nearOffset) + gain(at: Self.nearOffset))
      + Self.weight * (gain(at: -Self.offset) + gain(at: Self.offset))
  }

  private func gain(at shift: Double) -> Double { max(0, best - value(at: shift)) }

  /// g with the unknown objectives that many deviations from their predictions.
  private func value(at shift: Double) -> Double {
    if let budget {
      var (aim, excess) = (aim, excess)
      for place in predicted.indices {
        let axis = predicted[place]
        let coordinate = AdditiveModel.restored(means[place] + shift * deviations[place])
        if let limit = budget.limits[axis.index], coordinate > limit {
          excess += coordinate / limit - 1
        }
        if budget.aim == axis.index { aim = coordinate }
      }
      return budget.value(aim, excess: excess)
    }
    var along = along
    var squared = squared
    for place in predicted.indices {
      let axis = predicted[place]
      let rest = AdditiveModel.restored(means[place] + shift * deviations[place]) - axis.ideal
      along += rest * axis.direction
      squared += rest * rest
    }
    return abs(along) + theta * max(0, squared - along * along).squareRoot()
  }

  /// No value of the unknown objectives gives a g below this: the known ones alone are that far from
  /// the direction.
  private var leastValue: Double {
    if let budget { return excess > 0 ? budget.value(0, excess: excess) : -.infinity }
    let shadow = givenLength > 0 ? along * along / givenLength : 0
    return theta * max(0, squared - shadow).squareRoot()
  }
}
