// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The reference points of the tabular benchmarks, as the comparison script reads them too.
package enum BenchmarkTargets {
  /// Which points.
  package enum Selection: String, Sendable, CaseIterable {
    /// Those that results are reported for.
    case report
    /// Those that settings were tuned on.
    case tune
  }

  private struct File: Decodable {
    var errorScale: Double
    var macro: [String: [[Double]]]
    var cells: [String: [[Double]]]

    enum CodingKeys: String, CodingKey {
      case errorScale
      case macro = "nas-bench-macro"
      case cells = "nas-bench-201"
    }
  }

  /// The points of a table: for NAS-Bench-101, which is not here, front networks of the file by their
  /// last objective, at the same quantiles as those of the others; else those of the list.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a table without points.
  package static func targets(
    of table: any BenchmarkTable, _ selection: Selection = .report
  ) throws(SearchError) -> [ReferenceTarget] {
    guard table is NASBench101 else { return try targets(of: table.name, selection) }
    let rows = table.allObjectives
    let front = NonDominatedSorting.front(rows).map { rows[$0] }.sorted {
      ($0[$0.count - 1], $0[0]) < ($1[$1.count - 1], $1[0])
    }
    let quantiles = selection == .report ? [0.02, 0.5, 0.98] : [0.1, 0.35, 0.8]
    return quantiles.enumerated().map { index, quantile in
      let row = front[Int((quantile * Double(front.count - 1)).rounded())]
      let values = zip(table.objectives.map(\.name), row)
      return ReferenceTarget("\(index + 1)", Dictionary(values) { old, _ in old })
    }
  }

  /// The points of a table in the list.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a table without points.
  package static func targets(
    of table: String, _ selection: Selection = .report
  ) throws(SearchError) -> [ReferenceTarget] {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: Data(PackageResources.targets_json))
    } catch {
      throw .table(path: "targets.json", reason: "is damaged: \(error)")
    }
    let sets = [
      File.CodingKeys.macro.rawValue: file.macro, File.CodingKeys.cells.rawValue: file.cells,
    ]
    guard let points = sets[table]?[selection.rawValue] else {
      throw .table(path: table, reason: "there are no reference points for this table")
    }
    return points.enumerated().map { index, values in
      ReferenceTarget(
        "\(index + 1)", ["error": values[0], "params": values[1], "madds": values[2]])
    }
  }
}
