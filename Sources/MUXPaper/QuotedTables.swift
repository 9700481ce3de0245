// SPDX-License-Identifier: Apache-2.0

/// The figures that the paper prints in its tables, from the data files beside this one.
enum QuotedTables {
  /// A row: the paper's name of the network, ours, and the printed figures by column.
  struct Row: Sendable, Hashable {
    let network: String
    let model: String
    let figures: [String: String]

    /// A printed figure; empty if there is none.
    subscript(column: String) -> String { figures[column] ?? "" }

    /// A printed figure as a number.
    func number(_ column: String) -> Double? { PaperNumber.value(self[column]) }
  }

  static let table1 = rows(PackageResources.table1_csv)
  static let table2 = rows(PackageResources.table2_csv)
  static let table3 = rows(PackageResources.table3_csv)
  static let table4 = rows(PackageResources.table4_csv)

  private static func rows(_ bytes: [UInt8]) -> [Row] {
    // The files are part of the program and covered by tests; an unreadable one would be empty.
    guard let text = try? CSVText(String(decoding: bytes, as: UTF8.self), path: "paper") else {
      return []
    }
    return text.records.map { record in
      Row(
        network: record.values["network"] ?? "", model: record.values["model"] ?? "",
        figures: record.values)
    }
  }
}
