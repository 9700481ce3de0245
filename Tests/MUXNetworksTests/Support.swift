// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTestSupport

extension Shared {
  static let hasLayerTables = has("facts/csv")

  /// The rows of a layer table as dictionaries by column.
  static func layerTable(_ name: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: path("facts/csv/\(name).csv"), encoding: .utf8)
      .split(whereSeparator: \.isNewline)
    let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    return lines.dropFirst().map { line in
      let values = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return Dictionary(zip(columns, values)) { first, _ in first }
    }
  }
}

/// A network of the zoo.
func zoo(_ name: String, _ options: ModelOptions = ModelOptions()) throws -> Network {
  try ModelZoo.network(named: name, options: options)
}

/// The cost report of a network of the zoo.
func costs(_ name: String, classes: Int? = nil, side: Int? = nil) throws -> CostReport {
  try CostReport(zoo(name, ModelOptions(classes: classes)), inputSize: side.map { ImageSize($0) })
}
