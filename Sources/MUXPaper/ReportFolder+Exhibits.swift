// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXCore
package import MUXReport

extension ReportFolder {
  /// The files of an exhibit in all formats that it has; PNG only if it can be made here.
  package static func formats(of name: ExhibitName) -> [Exhibit.Format] {
    [.markdown, .csv, .json]
      + (name.isFigure ? [.svg] + (PNGRenderer.program() == nil ? [] : [.png]) : [])
  }

  /// The name of an exhibit's file.
  package static func file(_ name: ExhibitName, _ format: Exhibit.Format) -> String {
    "\(name.rawValue).\(format.fileExtension)"
  }

  /// Writes one exhibit in one format; gives the path.
  package func write(_ exhibit: Exhibit, _ format: Exhibit.Format) throws -> String {
    let file = "\(path)/\(Self.file(exhibit.name, format))"
    try AtomicFile.write(try exhibit.bytes(format), to: file)
    return file
  }

  /// Writes the page of all exhibits; gives the path.
  package func writePage(_ exhibits: [Exhibit], machine: String) throws -> String {
    let file = "\(path)/index.html"
    try AtomicFile.write(ReproductionPage(exhibits: exhibits, machine: machine).html, to: file)
    return file
  }
}
