// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A table as a study sees it: some of its objectives, and only the networks within limits.
struct TableView: SearchDomain {
  let base: any SearchDomain
  /// The places of the objectives in the table's.
  let columns: [Int]
  /// The largest value of what is known, by its place in the table's objectives.
  let limits: [(column: Int, most: Double)]

  var genes: [Gene] { base.genes }

  func canonical(_ genome: Genome) -> Genome? {
    guard let form = base.canonical(genome) else { return nil }
    guard !limits.isEmpty, let known = base.knownObjectives(of: form) else { return form }
    return limits.allSatisfy { known[$0.column] <= $0.most } ? form : nil
  }

  func key(of canonical: Genome) -> ArchitectureKey { base.key(of: canonical) }

  func knownObjectives(of canonical: Genome) -> [Double]? {
    base.knownObjectives(of: canonical).map { known in columns.map { known[$0] } }
  }
}

extension BenchmarkTable {
  /// The search of some of the table's objectives, of the networks within limits.
  ///
  /// - Throws: ``SearchError/invalidSetting(name:reason:)`` for an objective or a limit that the table
  ///   does not have.
  public func problem(
    _ wanted: [Objective], within limits: NetworkSpace.Constraints?
  ) throws(SearchError) -> SearchProblem {
    let names = objectives.map(\.name)
    var columns: [Int] = []
    for objective in wanted {
      guard let column = names.firstIndex(of: objective.name) else {
        throw .invalidSetting(
          name: "objectives",
          reason: "the table '\(name)' has no '\(objective.name)'; it has"
            + " \(names.joined(separator: ", "))")
      }
      columns.append(column)
    }
    var kept: [(column: Int, most: Double)] = []
    let given: [(Metric, Double?)] = [
      (.parameters, limits?.maximumParameters.map(Double.init)),
      (.multiplyAdds, limits?.maximumMultiplyAdds.map(Double.init)),
      (.latency, limits?.maximumLatency),
    ]
    for (metric, most) in given {
      guard let most else { continue }
      let quantity = metric.name
      guard let column = names.firstIndex(of: quantity) else {
        throw .invalidSetting(
          name: "limits",
          reason:
            "the table '\(name)' has no '\(quantity)'; it has \(names.joined(separator: ", "))")
      }
      let least = allObjectives.reduce(Double.infinity) { min($0, $1[column]) }
      guard most >= least else {
        throw .invalidSetting(
          name: "limits",
          reason: "no network of the table '\(name)' keeps \(quantity)=\(Int(most)); the least is"
            + " \(Int(least))")
      }
      kept.append((column, most))
    }
    guard !kept.isEmpty || columns != Array(names.indices) else {
      return try SearchProblem(domain: domain, objectives: wanted)
    }
    return try SearchProblem(
      domain: TableView(base: domain, columns: columns, limits: kept), objectives: wanted)
  }
}
