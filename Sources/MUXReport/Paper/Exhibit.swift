// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import MUXCharts

/// A table or figure of the paper, made anew.
public struct Exhibit: Sendable {
  /// Which one.
  public var name: ExhibitName
  /// What it shows.
  public var caption: String
  /// Its numbers.
  public var table: ReportTable
  /// Its picture, for figures.
  public var figure: Figure?
  /// What a reader should know about the numbers.
  public var notes: [String]

  /// An exhibit.
  public init(
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
  public enum Format: String, Sendable, Hashable, CaseIterable {
    case markdown, csv, json, svg, png

    /// The ending of file names.
    public var fileExtension: String { self == .markdown ? "md" : rawValue }
  }

  /// Notes and the meaning of the marks.
  public var remarks: [String] { notes + table.legend }

  /// The picture.
  ///
  /// - Throws: ``ReportError/noPicture(exhibit:)`` for a table.
  public func picture() throws(ReportError) -> SVGPicture {
    guard let figure else { throw .noPicture(exhibit: name.rawValue) }
    return figure.picture
  }

  /// The contents of a file of a format.
  ///
  /// - Throws: ``ReportError/noPicture(exhibit:)``, `PNGRenderer.Failure`.
  public func bytes(_ format: Format) throws -> [UInt8] {
    switch format {
    case .markdown: [UInt8]((markdown + "\n").utf8)
    case .csv: [UInt8](table.csv.utf8)
    case .json: [UInt8](try json())
    case .svg: [UInt8](try picture().svg.utf8)
    case .png: try PNGRenderer.png(try picture())
    }
  }

  /// The caption, the table and the remarks in Markdown.
  public var markdown: String {
    (["**\(name.title).** \(caption)", "", table.markdown, ""] + remarks.map { "- \($0)" })
      .joined(separator: "\n")
  }

  /// The numbers as JSON.
  public func json() throws -> Data {
    let object: [String: Any] = [
      "exhibit": name.rawValue, "caption": caption, "notes": notes, "rows": table.jsonRows,
    ]
    var data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    data.append(UInt8(ascii: "\n"))
    return data
  }
}
