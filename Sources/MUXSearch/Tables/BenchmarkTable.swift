// SPDX-License-Identifier: Apache-2.0

/// A search space whose networks were trained by others: evaluating is looking up.
public protocol BenchmarkTable: Sendable {
  /// The table's name, as in `nas-bench-201`.
  var name: String { get }
  /// The objectives and their scales.
  var objectives: [Objective] { get }
  /// The space.
  var domain: any SearchDomain { get }
  /// The objectives of a canonical genome, nil if the table lacks it.
  func evaluate(_ genome: Genome) -> [Double]?
  /// The objectives of all networks.
  var allObjectives: [[Double]] { get }
}

extension BenchmarkTable {
  /// The table as a problem to search.
  ///
  /// - Throws: ``SearchError``.
  public func problem() throws(SearchError) -> SearchProblem {
    try SearchProblem(domain: domain, objectives: objectives)
  }

  /// The least g of the whole table for each sub-problem.
  public func optimum(_ decomposition: Decomposition) -> [Double] {
    var best = [Double](repeating: .infinity, count: decomposition.count)
    for row in allObjectives {
      let point = zip(row, objectives).map { $1.coordinate($0) }
      for index in best.indices {
        best[index] = min(best[index], decomposition.value(point, index))
      }
    }
    return best
  }
}
