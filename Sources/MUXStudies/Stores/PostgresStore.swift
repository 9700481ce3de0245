// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Studies in a PostgreSQL database, for processes of many machines.
///
/// A lost connection is made anew at the next transaction; what was under way when it broke has not
/// happened, or (if it broke during the commit) may have. ``StudyCoordinator`` repeats safely.
public final class PostgresStore: StudyStore {
  /// The server and the database as `--storage` takes them; the text has no password.
  public let url: StorageURL
  private let access: StorageAccess
  private let connection: Mutex<PostgresConnection>

  /// Connects.
  ///
  /// - Parameters:
  ///   - address: The server and the database.
  ///   - access: Whether tables may be made and written.
  ///   - timeout: Seconds to wait for the server to connect and to send something of an answer, unless
  ///     `connect_timeout` in the address says.
  /// - Throws: ``StudyError``.
  public init(address: PostgresAddress, access: StorageAccess, timeout: Int = 10) throws {
    url = StorageURL(.postgres(address))
    self.access = access
    connection = Mutex(try PostgresConnection(address: address, timeout: timeout))
    try prepare()
  }

  private func prepare() throws {
    let address = url.description
    let (exists, found) = try transaction(writes: false) { connection in
      let exists = try Self.hasTables(connection)
      return (exists, try StudySchema.version(of: connection, exists: exists, url: address))
    }
    guard exists || access == .create else {
      throw StudyError.noStorage(
        url: address,
        reason: "the database has no tables of muxnet; creating a study adds them")
    }
    try StudySchema.check(found, url: address, canMigrate: access != .read)
    guard found < StudySchema.version, access != .read else { return }
    try transaction(writes: true) { connection in
      // Of several processes that start at once, one makes the tables.
      _ = try connection.run("SELECT pg_advisory_xact_lock(7237116321)", [])
      let exists = try Self.hasTables(connection)
      try StudySchema.migrate(connection, exists: exists, url: address)
    }
  }

  private static func hasTables(_ connection: any SQLConnection) throws -> Bool {
    try connection.run("SELECT to_regclass('muxnet_schema')::text AS found", []).first?
      .text("found") != nil
  }

  /// Runs a transaction that may write.
  public func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try checked(writes: true, body)
  }

  /// Runs a transaction that only reads.
  public func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try checked(writes: false, body)
  }

  private func checked<Result>(
    writes: Bool, _ body: (any StudyTransaction) throws -> Result
  ) throws -> Result {
    try transaction(writes: writes) { connection in
      try StudySchema.checkUnchanged(connection, url: url.description)
      return try body(SQLTransaction(connection, url: url.description))
    }
  }

  private func transaction<Result>(
    writes: Bool, _ body: (PostgresConnection) throws -> Result
  ) throws -> Result {
    try connection.withLock { connection in
      try connection.revive()
      do {
        try connection.begin(writes: writes && access != .read)
      } catch let error as StudyError where error.isTransient {
        // The server was restarted since the last transaction; nothing has happened yet.
        try connection.revive()
        try connection.begin(writes: writes && access != .read)
      }
      let result: Result
      do {
        result = try body(connection)
        try connection.commit()
      } catch {
        connection.rollback()
        throw error
      }
      return Carried(result)
    }.value
  }
}
