// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// Writes one file, unless something is in the way.
public enum ReportFile {
  /// Writes bytes to a path, atomically.
  ///
  /// - Throws: ``ReportError/exists(path:)``, or why the system refused.
  public static func write(_ bytes: [UInt8], to path: String, overwrites: Bool) throws {
    try check(path, overwrites: overwrites)
    try AtomicFile.write(bytes, to: path)
  }

  /// Checks that nothing is in the way, before something expensive is made.
  ///
  /// - Throws: ``ReportError/exists(path:)``.
  public static func check(_ path: String, overwrites: Bool) throws(ReportError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    if isFolder.boolValue {
      throw .unwritable(path: path, reason: "it is a folder; give a file")
    }
    if !overwrites { throw .exists(path: path) }
  }
}
