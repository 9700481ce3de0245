// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// A random budget of parameters and multiply-adds on a table, with what the table has within it.
package struct DrawnBudget: Sendable, Hashable {
  package var table: String
  /// The number of the budget on its table, from 0.
  package var index: Int
  /// The limits, as a target.
  package var target: ReferenceTarget
  /// How many networks of the table are within.
  package var networks: Int
  /// The least error among them.
  package var best: Double

  /// What a table has to have for its networks, in this order.
  private static let objectives = [Metric.error, .parameters, .multiplyAdds]

  /// The seed of each list; those of results were drawn before any setting was tuned.
  package static func seed(_ selection: BenchmarkTargets.Selection) -> UInt64 {
    switch selection {
    case .report: 20_261_129
    case .tune: 1
    }
  }

  /// Random budgets of a table. Each limit is the value of a network drawn from the table, parameters and
  /// multiply-adds of two different ones; budgets with fewer than `least` networks are drawn again.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a table without so many networks.
  package static func draw(
    _ table: any BenchmarkTable, _ selection: BenchmarkTargets.Selection = .report,
    count: Int = 50, least: Int = 1000
  ) throws(SearchError) -> [DrawnBudget] {
    let rows = table.allObjectives
    guard rows.count >= least, table.objectives.map(\.name) == Self.objectives.map(\.name) else {
      throw .table(
        path: table.name, reason: "has no \(least) networks with error, params and madds")
    }
    var random = SearchRandom(seed: seed(selection), purpose: "budgets of \(table.name)")
    var drawn: [DrawnBudget] = []
    while drawn.count < count {
      let params = rows[random.below(rows.count)][1]
      let madds = rows[random.below(rows.count)][2]
      let within = rows.filter { $0[1] <= params && $0[2] <= madds }
      guard within.count >= least else { continue }
      drawn.append(
        DrawnBudget(
          table: table.name, index: drawn.count,
          target: .budget(
            "budget \(drawn.count)",
            [Metric.parameters.name: params, Metric.multiplyAdds.name: madds]),
          networks: within.count, best: within.reduce(.infinity) { min($0, $1[0]) }))
    }
    return drawn
  }

  /// The header of files of budgets.
  package static let csvHeader = "table,budget,params,madds,networks,best_error"

  /// The budget as a line of CSV.
  package var csv: String {
    func text(_ metric: Metric) -> String { "\(target.values[metric.name] ?? .nan)" }
    return [
      table, "\(index)", text(.parameters), text(.multiplyAdds), "\(networks)", "\(best)",
    ]
    .joined(separator: ",")
  }
}
