// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Docs/ARCHITECTURE.md, as far as a program can check it.
struct ArchitecturePage {
  struct Row {
    var name: String
    /// "upper", "lower" or "both".
    var half: String
    /// The modules that it depends on, without those that come with them.
    var arrows: Set<String>
    /// The packages and libraries that it brings along itself.
    var outside: Set<String>
  }

  /// The table of modules, from top to bottom.
  let rows: [Row]
  /// Modules whose folders have an order, each folder using only those before it.
  let folders: [String: [String]]

  init() throws {
    let text = try String(
      contentsOf: Manifest.package.appending(path: "Docs/ARCHITECTURE.md"), encoding: .utf8)
    var rows: [Row] = []
    var folders: [String: [String]] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let names = cells.map(Self.code)
      if cells.count == 5 {
        rows += names[0].map {
          Row(name: $0, half: cells[1], arrows: Set(names[3]), outside: Set(names[4]))
        }
      } else if cells.count == 2, let module = names[0].first {
        folders[module] = names[1]
      }
    }
    self.rows = rows
    self.folders = folders
  }

  /// What stands between back-ticks.
  private static func code(_ cell: String) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }
}
