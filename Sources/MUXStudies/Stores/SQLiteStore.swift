// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import MUXCore
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Studies in a file, for all processes of one machine.
///
/// The file has a write-ahead log, so that readers never wait for writers, and a killed process
/// leaves nothing half-written. Network file systems do not allow that; PostgreSQL is for several
/// machines.
public final class SQLiteStore: StudyStore {
  /// The file as `--storage` takes it.
  public let url: StorageURL
  private let access: StorageAccess
  private let busyTimeout: Double
  private let configuration: GRDB.Configuration
  private let opened: Mutex<SQLiteFile>
  /// Whether the first transaction that writes has to make the tables.
  private let lacksTables: Mutex<Bool>

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - access: Whether it may be made and written.
  ///   - busyTimeout: Seconds to wait for other processes' transactions.
  ///   - maximumPages: The most pages (of 4 KiB) that the file may have; nil for no limit.
  /// - Throws: ``StudyError``.
  public convenience init(
    path: String, access: StorageAccess, busyTimeout: Double = 30, maximumPages: Int? = nil
  ) throws {
    try self.init(
      path: path, access: access, busyTimeout: busyTimeout, maximumPages: maximumPages,
      makesTablesLater: false)
  }

  /// - Parameter makesTablesLater: Whether tables are made in one with what is written first, so that a disk
  ///   that is full leaves either all of it or nothing.
  init(
    path: String, access: StorageAccess, busyTimeout: Double = 30, maximumPages: Int? = nil,
    makesTablesLater: Bool
  ) throws {
    url = StorageURL(.sqlite(path: path))
    self.access = access
    let address = url.description
    let exists = FileManager.default.fileExists(atPath: path)
    if !exists {
      guard access == .create else {
        throw StudyError.noStorage(
          url: address, reason: "there is no such file; creating a study makes it")
      }
      try Self.makeFolder(of: path, url: address)
    } else {
      try Self.requireFile(path, url: address)
    }
    var configuration = GRDB.Configuration()
    configuration.busyMode = BusyWait.mode(busyTimeout)
    configuration.readonly = access == .read
    configuration.prepareDatabase { database in
      // Commits reach the disk before a trial counts as told.
      try database.execute(sql: "PRAGMA synchronous = FULL")
      if let maximumPages {
        try database.execute(sql: "PRAGMA max_page_count = \(maximumPages)")
      }
    }
    self.busyTimeout = busyTimeout
    self.configuration = configuration
    opened = Mutex(
      try Self.open(
        path, configuration, for: access, busyTimeout: busyTimeout, url: address,
        preparing: !makesTablesLater))
    lacksTables = Mutex(makesTablesLater)
  }

  /// Opens a file, and brings it up to date where it may be written.
  private static func open(
    _ path: String, _ configuration: GRDB.Configuration, for access: StorageAccess,
    busyTimeout: Double, url: String, preparing: Bool = true
  ) throws -> SQLiteFile {
    do {
      let file = try patiently(busyTimeout) { try SQLiteFile(path, configuration) }
      if preparing { try prepare(file.pool, for: access, busyTimeout: busyTimeout, url: url) }
      return file
    } catch {
      if let error = error as? DatabaseError,
        [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode)
      {
        do {
          if let file = try SQLiteFile(standing: path, configuration, url: url) {
            try prepare(file.pool, for: access, busyTimeout: busyTimeout, url: url)
            return file
          }
        } catch {
          throw translated(error, url: url)
        }
      }
      throw translated(error, url: url)
    }
  }

  private static func prepare(
    _ pool: DatabasePool, for access: StorageAccess, busyTimeout: Double, url address: String
  ) throws {
    try patiently(busyTimeout) {
      let (exists, found) = try pool.read { database in
        let exists = try database.tableExists("muxnet_schema")
        let connection = SQLiteConnection(database)
        return (exists, try StudySchema.version(of: connection, exists: exists, url: address))
      }
      guard exists || access == .create else {
        throw StudyError.noStorage(
          url: address, reason: "the file has no tables of muxnet; creating a study adds them")
      }
      try StudySchema.check(found, url: address, canMigrate: access != .read)
      guard found < StudySchema.version, access != .read else { return }
      try pool.writeWithoutTransaction { database in
        try database.inTransaction(.immediate) {
          // Another process may have been here between the two transactions.
          let exists = try database.tableExists("muxnet_schema")
          try StudySchema.migrate(
            SQLiteConnection(database), exists: exists, url: address)
          return .commit
        }
      }
    }
  }

  /// The open file: anew where it is read as it stands, and was written since.
  private func current() throws -> SQLiteFile {
    let file = try opened.withLock { file in
      if case .sqlite(let path) = url.kind, file.hasChanged {
        file = try Self.open(
          path, configuration, for: access, busyTimeout: busyTimeout, url: url.description)
      }
      return file
    }
    // What is written to a file that was moved would be lost.
    guard file.isInPlace else {
      throw StudyError.unreachable(
        url: url.description,
        reason: "the file was moved, removed or replaced after it was opened; put it back")
    }
    return file
  }

  /// Runs a transaction that may write.
  public func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    let file = try current()
    do {
      return try file.pool.writeWithoutTransaction { database in
        var result: Result?
        try database.inTransaction(.immediate) {
          let connection = SQLiteConnection(database)
          if lacksTables.withLock({ $0 }) {
            // Unless another process has made them by now.
            let exists = try database.tableExists("muxnet_schema")
            try StudySchema.migrate(connection, exists: exists, url: url.description)
          }
          try StudySchema.checkUnchanged(connection, url: url.description)
          result = try body(SQLTransaction(connection, url: url.description))
          return .commit
        }
        lacksTables.withLock { $0 = false }
        guard let result else {
          throw StudyError.database(url: url.description, reason: "a transaction did not run")
        }
        return result
      }
    } catch {
      throw Self.translated(error, url: url.description)
    }
  }

  /// Runs a transaction that only reads.
  public func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    let file = try current()
    do {
      let result = try file.pool.read {
        let connection = SQLiteConnection($0)
        try StudySchema.checkUnchanged(connection, url: url.description)
        return try body(SQLTransaction(connection, url: url.description))
      }
      guard !file.hasChanged else {
        throw StudyError.unreachable(
          url: url.description, reason: "it was written while it was read; try again")
      }
      return result
    } catch {
      throw Self.translated(error, url: url.description)
    }
  }

  /// Tries again while other processes open the file at the same moment; SQLite does not wait by
  /// itself while a log is set up or recovered.
  private static func patiently<Result>(
    _ seconds: Double, _ body: () throws -> Result
  ) throws -> Result {
    var watch = Stopwatch()
    while true {
      do { return try body() } catch let error as DatabaseError {
        let code = error.resultCode
        guard code == .SQLITE_BUSY || code == .SQLITE_LOCKED, watch.seconds() < seconds else {
          throw error
        }
        usleep(20_000)
      }
    }
  }

  /// What SQLite says of a folder or a device is "disk I/O error".
  private static func requireFile(_ path: String, url: String) throws {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
    throw StudyError.database(
      url: url,
      reason: status.st_mode & S_IFMT == S_IFDIR
        ? "that is a folder; name a file in it" : "that is no regular file; name another")
  }

  private static func makeFolder(of path: String, url: String) throws {
    let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    do { try Folders.make(folder) } catch {
      throw StudyError.unreachable(
        url: url, reason: "the folder \(folder) cannot be made: \(error.cause)")
    }
  }

  private static func translated(_ error: any Error, url: String) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    let message = (error.message ?? "no reason given")
      .split(whereSeparator: \.isNewline).joined(separator: " ")
    switch error.resultCode {
    case .SQLITE_NOTADB, .SQLITE_CORRUPT: return StudyError.corrupt(url: url, reason: message)
    case .SQLITE_FULL: return StudyError.full(url: url, reason: "the disk is full")
    case .SQLITE_IOERR where SQLiteFile.isDiskFull(url):
      return StudyError.full(url: url, reason: "the disk is full")
    case .SQLITE_IOERR
    where [.SQLITE_IOERR_WRITE, .SQLITE_IOERR_SHMSIZE].contains(error.extendedResultCode):
      return StudyError.full(url: url, reason: "writing failed (disk full or a limit on its use)")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return StudyError.unreachable(
        url: url, reason: "another process has kept it locked for too long")
    case .SQLITE_CANTOPEN:
      return StudyError.unreachable(
        url: url, reason: message + (refusal(url).map { ": \($0)" } ?? ""))
    case .SQLITE_READONLY, .SQLITE_PERM:
      // Waiting does not help.
      return StudyError.database(
        url: url, reason: "it may not be written (\(message)); give it, and its folder, that right")
    default: return StudyError.database(url: url, reason: message)
    }
  }
}

/// Why no file can be opened in the folder, which SQLite does not say.
private func refusal(_ url: String) -> String? {
  guard case .sqlite(let path)? = try? StorageURL(url).kind else { return nil }
  let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
  for (place, mode) in [(path, R_OK), (folder, R_OK | W_OK | X_OK)]
  where access(place, mode) != 0 && errno != ENOENT {
    return "\(place): \(String(cString: strerror(errno)))"
  }
  return nil
}

private final class SQLiteConnection: SQLConnection {
  private let database: Database

  init(_ database: Database) { self.database = database }

  var dialect: SQLDialect { .sqlite }

  // By way of the number that databases keep, so that it comes back exactly.
  func now() -> Date { Date(timeIntervalSince1970: Date().timeIntervalSince1970) }

  func run(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow] {
    let statement = try database.cachedStatement(sql: sql.replacing("$", with: "?"))
    let arguments = StatementArguments(
      values.map { value -> (any DatabaseValueConvertible)? in
        switch value {
        case .null: nil
        case .integer(let number): number
        case .real(let number): number
        case .text(let text): text
        }
      })
    let places = Dictionary(
      statement.columnNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { _, last in last })
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    var found: [SQLRow] = []
    while let row = try rows.next() {
      found.append(
        SQLRow(
          places,
          (0..<row.count).map { place -> SQLValue in
            switch (row[place] as DatabaseValue).storage {
            case .null, .blob: .null
            case .int64(let number): .integer(Int(number))
            case .double(let number): .real(number)
            case .string(let text): .text(text)
            }
          }))
    }
    return found
  }
}
