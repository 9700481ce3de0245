// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// A folder that reports are written into: all of their files or, if something is in the way, none.
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
}
