// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXCore

/// Writes exhibits into a folder: everything or, if something is in the way, nothing.
public struct ReportFolder {
  /// The folder, made if it is not there.
  public let path: String
  /// Whether files of the same names are replaced.
  public let overwrites: Bool

  /// A folder.
  public init(path: String, overwrites: Bool = false) {
    self.path = path
    self.overwrites = overwrites
  }

  /// The files of an exhibit in all formats that it has; PNG only if it can be made here.
  public static func formats(of name: ExhibitName) -> [Exhibit.Format] {
    [.markdown, .csv, .json]
      + (name.isFigure ? [.svg] + (PNGRenderer.program() == nil ? [] : [.png]) : [])
  }

  /// Makes the folder and checks that nothing is in the way of some files.
  ///
  /// - Throws: ``ReportError/exists(path:)``, ``ReportError/unwritable(path:reason:)``.
  public func prepare(_ files: [String]) throws(ReportError) {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    if manager.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else {
        throw .unwritable(path: path, reason: "it is a file; give a folder")
      }
    } else {
      do { try Folders.make(path) } catch { throw .unwritable(path: path, reason: error.cause) }
    }
    guard manager.isWritableFile(atPath: path) else {
      throw .unwritable(path: path, reason: "the folder takes no files")
    }
    for file in files { try ReportFile.check("\(path)/\(file)", overwrites: overwrites) }
  }

  /// The name of an exhibit's file.
  public static func file(_ name: ExhibitName, _ format: Exhibit.Format) -> String {
    "\(name.rawValue).\(format.fileExtension)"
  }

  /// Writes one exhibit in one format; gives the path.
  public func write(_ exhibit: Exhibit, _ format: Exhibit.Format) throws -> String {
    let file = "\(path)/\(Self.file(exhibit.name, format))"
    try AtomicFile.write(try exhibit.bytes(format), to: file)
    return file
  }

  /// Writes the page of all exhibits; gives the path.
  public func writePage(_ exhibits: [Exhibit], machine: String) throws -> String {
    let file = "\(path)/index.html"
    try AtomicFile.write(ReproductionPage(exhibits: exhibits, machine: machine).html, to: file)
    return file
  }
}
