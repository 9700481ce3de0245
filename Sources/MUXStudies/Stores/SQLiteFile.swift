// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import MUXCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A file of SQLite's that is open.
///
/// Whoever reads by the write-ahead log has to make files beside it. In a folder that may not be written
/// a file is read as it stands, which is right as long as nobody writes to it meanwhile.
struct SQLiteFile: Sendable {
  let pool: DatabasePool
  private let path: String
  private let identity: FileIdentity?
  /// How the file was when it was opened to be read as it stands.
  private let stamp: FileStamp?

  init(_ path: String, _ configuration: GRDB.Configuration) throws {
    pool = try DatabasePool(path: path, configuration: configuration)
    self.path = path
    identity = FileIdentity(path)
    stamp = nil
  }

  /// Opens a file to be read as it stands; nil where nothing stands in the way of its log.
  ///
  /// - Throws: ``StudyError`` where the log has to be read, too.
  init?(standing path: String, _ configuration: GRDB.Configuration, url: String) throws {
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    guard configuration.readonly, access(path, R_OK) == 0, access(folder, W_OK) != 0 else {
      return nil
    }
    self.path = path
    identity = FileIdentity(path)
    stamp = FileStamp(path)
    if let log = FileStamp("\(path)-wal"), log.size > 0 {
      throw StudyError.database(
        url: url,
        reason:
          "part of it is in \(path)-wal, which cannot be read in a folder that may not be written; copy"
          + " both files into one, and name the copy")
    }
    // Nothing but `immutable` keeps SQLite from making files.
    let address = URL(filePath: path).absoluteURL.path(percentEncoded: true)
    pool = try DatabasePool(path: "file://\(address)?immutable=1", configuration: configuration)
  }

  /// Whether there is no file yet, and one can be made, perhaps with the folders that lead to it.
  static func canBeMade(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) != 0 else { return false }
    var folder = URL(filePath: path)
    repeat {
      folder.deleteLastPathComponent()
    } while lstat(folder.path(percentEncoded: false), &status) != 0
      && folder.pathComponents.count > 1
    let place = folder.path(percentEncoded: false)
    return stat(place, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && access(place, W_OK | X_OK) == 0
  }

  /// Whether the disk of an address has no room for anything worth mentioning.
  static func isDiskFull(_ url: String) -> Bool {
    guard case .sqlite(let path)? = try? StorageURL(url).kind else { return false }
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    var room = statvfs()
    guard statvfs(folder, &room) == 0 else { return false }
    return UInt64(room.f_bavail) * UInt64(room.f_frsize) < 1 << 16
  }

  /// Whether the path still leads to the file. One that was moved, removed or replaced stays open.
  var isInPlace: Bool { identity != nil && FileIdentity(path) == identity }

  /// Whether a file that is read as it stands is another by now, so that what was read may be torn.
  var hasChanged: Bool {
    guard let stamp else { return false }
    return FileStamp(path) != stamp || (FileStamp("\(path)-wal")?.size ?? 0) > 0
  }
}
