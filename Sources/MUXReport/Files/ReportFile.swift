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

  /// Checks that nothing is in the way, and that the file can be written, before something expensive is
  /// made or something is changed that cannot be taken back.
  ///
  /// A file that the command reads is never replaced, nor is a database, which holds studies perhaps:
  /// overwriting is meant for what a command wrote before.
  ///
  /// - Throws: ``ReportError/exists(path:)``, ``ReportError/unwritable(path:reason:)``.
  public static func check(
    _ path: String, overwrites: Bool, inputs: [String] = []
  ) throws(ReportError) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder.boolValue {
      throw .unwritable(path: path, reason: "it is a folder; give a file")
    }
    do { try AtomicFile.check(path) } catch {
      throw .unwritable(path: path, reason: error.cause)
    }
    if exists, !overwrites { throw .exists(path: path) }
    if let own = FileIdentity(path), inputs.contains(where: { FileIdentity($0) == own }) {
      throw .unwritable(path: path, reason: "the command reads this file; name another")
    }
    if exists, isDatabase(path) {
      throw .unwritable(path: path, reason: "it is a database; name another file")
    }
  }

  private static func isDatabase(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
  }
}
