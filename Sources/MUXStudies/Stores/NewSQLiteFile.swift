// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A file of SQLite's that is going to be made, and goes again where nothing came to be written to it.
struct NewSQLiteFile: Sendable {
  private let path: String
  /// The folders on the way that are not there yet, the innermost first.
  private let folders: [String]

  /// A file that is not there yet.
  init(_ path: String) {
    self.path = path
    var missing: [String] = []
    var folder = URL(filePath: path).deletingLastPathComponent()
    while folder.pathComponents.count > 1,
      access(folder.path(percentEncoded: false), F_OK) != 0
    {
      missing.append(folder.path(percentEncoded: false))
      folder.deleteLastPathComponent()
    }
    folders = missing
  }

  /// Removes the file and what lies beside it if nothing was written to it, and nobody else has it open.
  func remove() {
    if let descriptor = lockedAlone() {
      if isEmpty(descriptor) {
        // The log first: without its file it would be a riddle to others.
        for file in ["\(path)-wal", "\(path)-shm", "\(path)-journal", path] { unlink(file) }
      }
      close(descriptor)
    }
    // Those that are not empty stay.
    for folder in folders where rmdir(folder) != 0 { break }
  }

  /// The file, with a lock that excludes all other processes that work on it; nil if there are some, or no
  /// file. Connections with a log keep a shared lock on these bytes as long as they are open.
  private func lockedAlone() -> Int32? {
    let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = 0x4000_0000
    lock.l_len = 512
    guard fcntl(descriptor, F_SETLK, &lock) == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  /// The pages that a database has without tables: the first one, and that of a table which GRDB makes and
  /// removes to begin the log. Those of studies are a dozen.
  private static let pagesWithoutTables = 2

  /// Whether the file has no more than its first pages, and its log nothing that was committed but these.
  private func isEmpty(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size <= 4096 * Self.pagesWithoutTables
    else { return false }
    guard let log = FileManager.default.contents(atPath: "\(path)-wal") else { return true }
    let bytes = [UInt8](log)
    func number(at place: Int) -> Int {
      bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    // A header of 32 bytes with the size of pages, then pages, each after a header of 24, of which the
    // second number is 0, or the pages of the database where a transaction ends.
    guard bytes.count >= 32 else { return true }
    let page = number(at: 8)
    guard page > 0 else { return false }
    return stride(from: 32, to: bytes.count - 23, by: 24 + page).allSatisfy {
      number(at: $0 + 4) <= Self.pagesWithoutTables
    }
  }
}
