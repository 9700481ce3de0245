// SPDX-License-Identifier: Apache-2.0

/// Where a search with several objectives is to go.
public enum SearchGoal: Sendable, Hashable, Codable {
  /// Towards targets that the user names (paper, section 4).
  case targets([ReferenceTarget])
  /// Along uniform directions: all mixtures of the objectives in steps of 1 / `partitions`.
  case wholeFront(partitions: Int)

  /// The paper's: four targets, which share MOEA/D's population of 40 by ten each.
  public static let paper = SearchGoal.targets(ReferenceTarget.paper)
}

/// One problem with several objectives as several with one, by penalty-based boundary intersection
/// (paper, equation 2): g = d₁ + θ d₂ with d₁ = (F − z*)·w/‖w‖ along the direction and
/// d₂ = ‖F − z* − d₁ w/‖w‖‖ across it.
public struct Decomposition: Sendable, Codable {
  /// θ, the price of leaving the direction; 5 in the paper.
  public let theta: Double
  /// The names of the sub-problems.
  public let names: [String]
  /// z* over the scales.
  public private(set) var ideal: [Double]
  /// For each sub-problem, the unit vector of its direction.
  public private(set) var directions: [[Double]]
  private let policy: IdealPoint
  /// Targets over the scales; empty where directions are fixed.
  private let targets: [[Double]]
  /// For each sub-problem its budget, nil for a direction; nil as a whole where there are none, as in
  /// states of version 0.1.
  private let budgets: [Budget?]?

  /// The sub-problems of a goal.
  ///
  /// - Throws: ``SearchError`` for targets that do not fit the objectives.
  public init(
    _ goal: SearchGoal, objectives: [Objective], ideal policy: IdealPoint = .origin,
    theta: Double = 5
  ) throws(SearchError) {
    guard theta >= 0, theta.isFinite else {
      throw .invalidSetting(name: "theta", reason: "must be 0 or above, not \(theta)")
    }
    self.theta = theta
    self.policy = policy
    switch policy {
    case .origin: ideal = objectives.map { _ in 0 }
    case .estimated: ideal = objectives.map { _ in .infinity }
    case .fixed(let values):
      guard values.count == objectives.count, values.allSatisfy({ $0.isFinite }) else {
        throw .invalidSetting(
          name: "ideal", reason: "takes one finite value for each of \(objectives.count) objectives"
        )
      }
      ideal = zip(values, objectives).map { $1.coordinate($0) }
    }
    switch goal {
    case .targets(let list):
      guard !list.isEmpty else {
        throw .invalidSetting(name: "targets", reason: "there are none")
      }
      var points: [[Double]] = []
      var budgets: [Budget?] = []
      for target in list {
        points.append(try target.normalized(for: objectives))
        budgets.append(target.kind == .budget ? try Budget(target, objectives) : nil)
      }
      targets = points
      self.budgets = budgets.contains { $0 != nil } ? budgets : nil
      names = list.map(\.name)
      directions = []
    case .wholeFront(let partitions):
      guard (1...200).contains(partitions) else {
        throw .invalidSetting(name: "partitions", reason: "must be in 1...200, not \(partitions)")
      }
      targets = []
      budgets = nil
      directions = Self.dasDennis(count: objectives.count, partitions: partitions).map(Self.unit)
      names = directions.indices.map { "direction \($0)" }
    }
    if !targets.isEmpty { aim() }
  }

  /// The number of sub-problems.
  public var count: Int { names.count }

  /// Whether the directions follow targets, and so the ideal point.
  var hasTargets: Bool { !targets.isEmpty }

  /// The budget of a sub-problem, nil for a direction.
  @inline(__always)
  package func budget(_ subproblem: Int) -> Budget? { budgets?[subproblem] }

  /// The sub-problems that are budgets.
  package var budgetPlaces: [Int] {
    budgets.map { list in list.indices.filter { list[$0] != nil } } ?? []
  }

  /// What a sub-problem makes small, of a point (objectives as coordinates): g of a direction; of a
  /// budget its aim, and any point outside comes after all within.
  @inline(__always)
  package func value(_ point: [Double], _ subproblem: Int) -> Double {
    if let budget = budgets?[subproblem] {
      return budget.value(point[budget.aim], excess: budget.excess(of: point))
    }
    var along = 0.0
    let direction = directions[subproblem]
    for index in point.indices { along += (point[index] - ideal[index]) * direction[index] }
    var across = 0.0
    for index in point.indices {
      let rest = point[index] - ideal[index] - along * direction[index]
      across += rest * rest
    }
    return abs(along) + theta * across.squareRoot()
  }

  /// Lets a point move the ideal point where that is estimated; whether it did.
  mutating func observe(_ point: [Double]) -> Bool {
    guard case .estimated(let margin) = policy else { return false }
    var moved = false
    for index in point.indices where point[index] - margin < ideal[index] {
      ideal[index] = point[index] - margin
      moved = true
    }
    if moved, !targets.isEmpty { aim() }
    return moved
  }

  /// For each sub-problem, all others from the nearest direction to the farthest, itself first.
  func neighborhoods() -> [[Int]] {
    directions.map { own in
      let cosines = directions.map { zip(own, $0).reduce(0) { $0 + $1.0 * $1.1 } }
      return directions.indices.sorted {
        cosines[$0] != cosines[$1] ? cosines[$0] > cosines[$1] : $0 < $1
      }
    }
  }

  /// Points the directions from the ideal point at the targets. A target at or below the ideal in an
  /// objective asks for the least of it.
  private mutating func aim() {
    directions = targets.map { target in
      Self.unit(zip(target, ideal).map { $1.isFinite ? max($0 - $1, 0) : $0 })
    }
  }

  private static func unit(_ vector: [Double]) -> [Double] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else { return vector.map { _ in 1 / Double(vector.count).squareRoot() } }
    return vector.map { $0 / length }
  }

  /// All vectors of whole numbers that sum to `partitions`, over `partitions` (Das and Dennis 1998).
  static func dasDennis(count: Int, partitions: Int) -> [[Double]] {
    func extend(_ prefix: [Int], _ rest: Int) -> [[Int]] {
      guard prefix.count < count - 1 else { return [prefix + [rest]] }
      return (0...rest).flatMap { extend(prefix + [$0], rest - $0) }
    }
    return extend([], partitions).map { $0.map { Double($0) / Double(partitions) } }
  }
}
