// SPDX-License-Identifier: Apache-2.0
package import Foundation
import MUXCore

/// The reference points of the tabular benchmarks, as the comparison script reads them too.
package struct BenchmarkTargets: Sendable {
  /// Which points.
  package enum Selection: String, Sendable, CaseIterable {
    /// Those that results are reported for.
    case report
    /// Those that settings were tuned on.
    case tune
  }

  /// For each table the points of each selection: a value for each objective, in the table's order.
  private let points: [String: [String: [[Double]]]]
  /// The file, nil for the shipped one.
  private let path: String?

  /// The points of a file, or those that are shipped. A file has, for each table by its name, an object of
  /// lists of points: `{"nas-bench-macro": {"report": [[9.2, 1160000, 37300000]]}}`, with error, parameters and
  /// multiply-adds.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a file that cannot be read.
  package init(file: URL? = nil) throws(SearchError) {
    path = file?.path(percentEncoded: false)
    let name = path ?? "targets.json"
    var data = Data(PackageResources.targets_json)
    if let path {
      do { data = Data(try TextFile.read(path, limit: 1 << 24).utf8) } catch {
        throw .table(path: path, reason: "cannot be read: \(error.cause)")
      }
    }
    do {
      points = try JSONDecoder().decode(File.self, from: data).points
    } catch {
      let reason = (error as? DecodingError)?.reason ?? "\(error)"
      throw .table(path: name, reason: "holds no reference points: \(reason)")
    }
  }

  /// The points of a table. Those of NAS-Bench-101 follow from its file unless they are listed: front networks by
  /// the last objective, at the same quantiles as those of the others.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` for a table without points, or with one of another length.
  package func targets(
    of table: any BenchmarkTable, _ selection: Selection = .report
  ) throws(SearchError) -> [ReferenceTarget] {
    let names = table.objectives.map(\.name)
    if let listed = points[table.name]?[selection.rawValue] {
      for (index, point) in listed.enumerated() where point.count != names.count {
        throw .table(
          path: path ?? "targets.json",
          reason: "point \(index + 1) of \(table.name) has \(point.count) values; there are "
            + names.joined(separator: ", "))
      }
      guard !listed.isEmpty else {
        throw .table(path: path ?? "targets.json", reason: "no point is listed for \(table.name)")
      }
      return Self.targets(listed, names)
    }
    guard table is NASBench101 else {
      throw .table(
        path: path ?? table.name,
        reason: "there are no reference points '\(selection.rawValue)' for the table \(table.name)")
    }
    let rows = table.allObjectives
    let front = NonDominatedSorting.front(rows).map { rows[$0] }.sorted {
      ($0[$0.count - 1], $0[0]) < ($1[$1.count - 1], $1[0])
    }
    let quantiles = selection == .report ? [0.02, 0.5, 0.98] : [0.1, 0.35, 0.8]
    return Self.targets(
      quantiles.map { front[Int(($0 * Double(front.count - 1)).rounded())] }, names)
  }

  private static func targets(_ points: [[Double]], _ names: [String]) -> [ReferenceTarget] {
    points.enumerated().map { index, values in
      ReferenceTarget("\(index + 1)", Dictionary(zip(names, values)) { old, _ in old })
    }
  }
}

extension BenchmarkTargets {
  /// The file: tables by name, and beside them a note and the scale of the error.
  private struct File: Decodable {
    var points: [String: [String: [[Double]]]] = [:]

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      for key in container.allKeys where !["about", "errorScale"].contains(key.stringValue) {
        points[key.stringValue] = try container.decode([String: [[Double]]].self, forKey: key)
      }
    }
  }
}
