// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// One quantity to be made small.
public struct Objective: Sendable, Hashable, Codable {
  /// The name by which users give targets, such as `params`.
  public var name: String
  /// The natural value that counts as 1 in distances: the largest that matters for costs, and for
  /// errors the value that weighs as much as the largest cost.
  public var scale: Double
  /// What it is, where it is not one of `Metric.objectives`; kept with studies.
  private var own: Metric?
  /// Where it follows from the network: what each parameter and multiply-add adds to it; nil where it has
  /// to be measured, and for the costs themselves.
  public var weights: [String: Double]?

  private enum CodingKeys: String, CodingKey {
    case name, scale, weights
    case own = "metric"
  }

  /// An objective; distances divide it by `scale`.
  public init(_ name: String, scale: Double) {
    self.name = name
    self.scale = scale
  }

  /// A quantity as objective; distances divide it by `scale`.
  public init(_ metric: Metric, scale: Double) {
    self.init(metric.name, scale: scale)
    own = Metric.objectives.contains(metric) ? nil : metric
  }

  /// What it is counted in, how it is written, which direction is better, and which values are possible.
  public var metric: Metric { own ?? Metric.objective(named: name) }

  /// Whether more of it is better.
  public var isMaximized: Bool { own?.direction == .higher }

  /// A natural value as algorithms see it, always to be made small: over the scale, and for what is to
  /// be made large 2 − v/scale up to the scale and scale/v above it. That falls smoothly from any value
  /// to 0, so that the origin is below everything there, too.
  @inline(__always)
  package func coordinate(_ value: Double) -> Double {
    let share = value / scale
    guard isMaximized else { return share }
    return share <= 1 ? 2 - share : 1 / share
  }

  /// The natural value that a coordinate stands for.
  package func value(at coordinate: Double) -> Double {
    guard isMaximized else { return coordinate * scale }
    return scale * (coordinate >= 1 ? 2 - coordinate : 1 / max(coordinate, 1e-300))
  }
}

/// A search space with what is to be minimised in it.
public struct SearchProblem: Sendable {
  /// The space.
  public let domain: any SearchDomain
  /// What is minimised; the values of an evaluation have this order.
  public let objectives: [Objective]

  /// The objectives of a space.
  ///
  /// - Throws: ``SearchError`` for an empty space, no objectives, one twice, or scales that are not
  ///   above 0.
  public init(domain: any SearchDomain, objectives: [Objective]) throws(SearchError) {
    guard !domain.genes.isEmpty, domain.genes.allSatisfy({ $0.choices > 0 }) else {
      throw .emptySpace(gene: domain.genes.first { $0.choices <= 0 }?.name)
    }
    guard !objectives.isEmpty else { throw .noObjectives }
    let names = objectives.map(\.name)
    for (index, name) in names.enumerated() where names.prefix(index).contains(name) {
      throw .invalidSetting(
        name: "objectives", reason: "'\(name)' stands twice; name each objective once")
    }
    for objective in objectives where !(objective.scale > 0 && objective.scale.isFinite) {
      throw .invalidScale(objective: objective.name, scale: objective.scale)
    }
    self.domain = domain
    self.objectives = objectives
  }

  /// Natural values as coordinates.
  func normalized(_ values: [Double]) -> [Double] {
    var result = values
    for index in result.indices { result[index] = objectives[index].coordinate(result[index]) }
    return result
  }
}
