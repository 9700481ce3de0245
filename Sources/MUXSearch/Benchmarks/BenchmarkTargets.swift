// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The reference points of the tabular benchmarks, as the comparison script reads them too.
public enum BenchmarkTargets {
  /// Which points.
  public enum Selection: String, Sendable, CaseIterable {
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

  /// The points of a table.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a table without points.
  public static func targets(
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
