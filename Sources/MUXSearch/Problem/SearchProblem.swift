// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// One quantity to be made small.
public struct Objective: Sendable, Hashable, Codable {
  /// The name by which users give targets, such as `params`.
  public var name: String
  /// The natural value that counts as 1 in distances: the largest that matters for costs, and for
  /// errors the value that weighs as much as the largest cost.
  public var scale: Double

  /// An objective; distances divide it by `scale`.
  public init(_ name: String, scale: Double) {
    self.name = name
    self.scale = scale
  }

  /// A known quantity as objective; distances divide it by `scale`.
  public init(_ metric: Metric, scale: Double) { self.init(metric.name, scale: scale) }

  /// What it is counted in, how it is written, and which values are possible.
  public var metric: Metric { Metric.objective(named: name) }
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

  /// Natural values over their scales.
  func normalized(_ values: [Double]) -> [Double] {
    var result = values
    for index in result.indices { result[index] /= objectives[index].scale }
    return result
  }
}
