// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks

/// A table or figure of the paper.
package enum ExhibitName: String, Sendable, Hashable, CaseIterable {
  case table1, table2, table3, table4
  case figure1, figure2, figure6, figure7, figure8, figure9

  /// The table or figure of a name.
  ///
  /// - Throws: ``ReproductionError/unknownExhibit(name:nearest:)`` with the nearest names.
  package static func named(_ name: String) throws(ReproductionError) -> ExhibitName {
    let plain = name.lowercased().filter { !" -_.".contains($0) }
    if let found = ExhibitName(rawValue: plain) { return found }
    throw .unknownExhibit(
      name: name,
      nearest: NameDistance.nearest(to: plain, among: allCases.map(\.rawValue) + ["all"]))
  }

  /// Such as `Table 1`.
  package var title: String {
    let number = rawValue.filter(\.isNumber)
    return (isFigure ? "Figure " : "Table ") + number
  }

  /// Whether it has a picture.
  package var isFigure: Bool { rawValue.hasPrefix("figure") }
}
