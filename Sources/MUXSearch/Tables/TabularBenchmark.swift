// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A search space whose every network was trained by others: evaluating is looking up.
///
/// Objectives are `error` (percent), `params` and `madds`. The error counts as evaluated; parameters
/// and multiply-adds follow from the network, so algorithms may know them beforehand.
public struct TabularBenchmark: BenchmarkTable {
  /// The table's name.
  public let name: String
  /// The space; a genome's number is its row.
  public let space: TableDomain
  /// The objectives' names, with the largest value of the costs as scale.
  public let objectives: [Objective]

  /// A table with one row for each genome, in the order of ``SearchDomain/genome(at:)``.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` if rows are missing, or have values that no network
  ///   can have.
  package init(
    name: String, path: String? = nil, genes: [Gene], rows: [[Double]], errorScale: Double
  ) throws(SearchError) {
    let names = [Metric.error, .parameters, .multiplyAdds]
    for (index, row) in rows.enumerated() {
      for (metric, value) in zip(names, row) {
        guard let defect = metric.defect(of: value) else { continue }
        throw .table(path: path ?? name, reason: "network \(index): '\(metric.name)' \(defect)")
      }
    }
    self.name = name
    space = TableDomain(genes: genes, rows: rows)
    guard rows.count == space.genomeCount else {
      throw .table(
        path: name, reason: "has \(rows.count) networks, not \(space.genomeCount ?? 0)")
    }
    objectives = [
      Objective(.error, scale: errorScale),
      Objective(.parameters, scale: rows.reduce(0) { max($0, $1[1]) }),
      Objective(.multiplyAdds, scale: rows.reduce(0) { max($0, $1[2]) }),
    ]
  }

  /// The space, for the search.
  public var domain: any SearchDomain { space }

  /// The number of networks.
  public var count: Int { space.rows.count }

  /// The objectives of a network: error in percent, parameters, multiply-adds.
  public func evaluate(_ genome: Genome) -> [Double]? { space.rows[space.row(of: genome)] }

  /// The objectives of all networks.
  public var allObjectives: [[Double]] { space.rows }
}

/// The space of a table.
public struct TableDomain: SearchDomain {
  /// The decisions.
  public let genes: [Gene]
  /// For each genome its error, parameters and multiply-adds.
  let rows: [[Double]]
  /// Parameters and multiply-adds of all rows, flat.
  private let costs: [Double]

  init(genes: [Gene], rows: [[Double]]) {
    self.genes = genes
    self.rows = rows
    costs = rows.flatMap { $0.dropFirst() }
  }

  /// The number of a genome's row.
  @inline(__always)
  func row(of genome: Genome) -> Int {
    var index = 0
    for position in genes.indices {
      index = index * genes[position].choices + genome.values[position]
    }
    return index
  }

  /// The costs; the error has to be evaluated.
  public func knownObjectives(of canonical: Genome) -> [Double]? {
    let place = 2 * row(of: canonical)
    return [.nan, costs[place], costs[place + 1]]
  }

  /// The number of the row.
  public func key(of canonical: Genome) -> ArchitectureKey {
    ArchitectureKey(high: 0, low: UInt64(row(of: canonical)))
  }
}
