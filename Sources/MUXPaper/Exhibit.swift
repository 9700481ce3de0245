// SPDX-License-Identifier: Apache-2.0
package import Foundation
package import MUXCharts
package import MUXReport

/// A table or figure of the paper, made anew.
package struct Exhibit: Sendable {
  /// Which one.
  package var name: ExhibitName
  /// What it shows.
  package var caption: String
  /// Its numbers.
  package var table: ReportTable
  /// Its picture, for figures.
  package var figure: Figure?
  /// What a reader should know about the numbers.
  package var notes: [String]

  package init(
    name: ExhibitName, caption: String, table: ReportTable, figure: Figure? = nil,
    notes: [String] = []
  ) {
    self.name = name
    self.caption = caption
    self.table = table
    self.figure = figure
    self.notes = notes
  }

  /// The forms in which it can be had.
  package enum Format: String, Sendable, Hashable, CaseIterable {
    case markdown, csv, json, svg, png

    /// The ending of file names.
    package var fileExtension: String { self == .markdown ? "md" : rawValue }
  }

  /// Notes and the meaning of the marks.
  package var remarks: [String] { notes + table.legend }

  /// The picture.
  ///
  /// - Throws: ``ReproductionError/noPicture(exhibit:)`` for a table.
  package func picture() throws(ReproductionError) -> SVGPicture {
    guard let figure else { throw .noPicture(exhibit: name.rawValue) }
    return figure.picture
  }

  /// The contents of a file of a format.
  ///
  /// - Throws: ``ReproductionError/noPicture(exhibit:)``, `PNGRenderer.Failure`.
  package func bytes(_ format: Format) throws -> [UInt8] {
    switch format {
    case .markdown: [UInt8]((markdown + "\n").utf8)
    case .csv: [UInt8](table.csv.utf8)
    case .json: [UInt8](try json())
    case .svg: [UInt8](try picture().svg.utf8)
    case .png: try PNGRenderer.png(try picture())
    }
  }

  /// The caption, the table and the remarks in Markdown.
  package var markdown: String {
    (["**\(name.title).** \(caption)", "", table.markdown, ""] + remarks.map { "- \($0)" })
      .joined(separator: "\n")
  }

  /// The numbers as JSON.
  package func json() throws -> Data {
    let object: [String: Any] = [
      "exhibit": name.rawValue, "caption": caption, "notes": notes, "rows": table.jsonRows,
    ]
    var data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    data.append(UInt8(ascii: "\n"))
    return data
  }
}
