// SPDX-License-Identifier: Apache-2.0
internal import CPostgres
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A connection to PostgreSQL, for one thread at a time.
///
/// No call waits for ever: a server that sends nothing for some seconds, since it is frozen or the
/// network swallows everything, is given up as if it had closed the connection.
final class PostgresConnection: SQLConnection {
  private let pq: mux_libpq
  private var handle: OpaquePointer?
  private let address: PostgresAddress
  private let timeout: Int
  /// The last time-out. For a second it is the answer to everything, so that those who queued up behind
  /// it do not wait one after the other.
  private var silence: (error: StudyError, watch: Stopwatch)?
  private var url: String { "\(address)" }

  init(address: PostgresAddress, timeout: Int) throws {
    do { pq = try PostgresLibrary.functions() } catch {
      throw StudyError.invalidStorage(url: "\(address)", reason: "\(error)")
    }
    self.address = address
    let given = address.parameters.last { $0.name == "connect_timeout" }
    // As libpq has it, 0 waits for ever.
    self.timeout = given.flatMap { Int($0.value) }.map { $0 > 0 ? $0 : .max } ?? timeout
    try connect()
  }

  deinit { pq.finish(handle) }

  var dialect: SQLDialect { .postgres }

  private var isSound: Bool { pq.status(handle) == MUX_PG_CONNECTION_OK }

  /// Connects again if the connection is known to be broken.
  func revive() throws {
    if handle == nil || !isSound { try connect() }
  }

  private func connect() throws {
    pq.finish(handle)
    handle = nil
    if silence?.watch.seconds() ?? 1 < 1, let silence { throw silence.error }
    var watch = Stopwatch()
    // Later entries win, so what the address says goes before our defaults.
    let settings: [(String, String)] =
      [
        ("connect_timeout", "\(min(timeout, 1_000_000))"), ("application_name", "muxnet"),
        ("client_encoding", "UTF8"), ("keepalives_idle", "15"),
      ] + address.parameters
    let names = settings.map { strdup($0.0) }
    let values = settings.map { strdup($0.1) }
    defer { for pointer in names + values { free(pointer) } }
    let keywords = names.map { UnsafePointer($0) } + [nil]
    let texts = values.map { UnsafePointer($0) } + [nil]
    // No part is an address of its own: what was not read above is not connected to.
    handle = pq.connectdbParams(keywords, texts, 0)
    guard let handle, isSound else {
      let reason = line(handle.flatMap { pq.errorMessage($0) })
      pq.finish(handle)
      handle = nil
      let error = StudyError.unreachable(url: url, reason: reason)
      // Not a server that refuses: that takes no time, and it may be back at any moment.
      if watch.seconds() > 1 { silence = (error, Stopwatch()) }
      throw error
    }
    _ = pq.setNoticeReceiver(handle, { _, _ in }, nil)
    // Sending does not wait either; answers are waited for below.
    guard pq.setnonblocking(handle, 1) == 0 else { throw lost() }
  }

  func now() throws -> Date {
    let rows = try run("SELECT extract(epoch FROM clock_timestamp())::float8 AS now", [])
    guard let now = rows.first?.date("now") else {
      throw StudyError.database(url: url, reason: "the server does not tell the time")
    }
    return now
  }

  func begin(writes: Bool) throws {
    _ = try run(
      writes
        ? "BEGIN ISOLATION LEVEL READ COMMITTED"
        : "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", [])
  }

  func commit() throws { _ = try run("COMMIT", []) }

  /// Ends a transaction in which something failed; a broken connection has ended it already.
  func rollback() {
    if handle != nil, isSound { _ = try? run("ROLLBACK", []) }
  }

  func run(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow] {
    let texts = values.map { value -> UnsafeMutablePointer<CChar>? in
      switch value {
      case .null: nil
      case .integer(let number): strdup("\(number)")
      case .real(let number): strdup("\(number)")
      case .text(let text): strdup(text)
      }
    }
    defer { for text in texts { free(text) } }
    let parameters = texts.map { UnsafePointer($0) }
    guard
      pq.sendQueryParams(handle, sql, Int32(values.count), nil, parameters, nil, nil, 0) == 1
    else { throw lost() }
    let result = try answer()
    defer { pq.clear(result) }
    switch pq.resultStatus(result) {
    case MUX_PG_COMMAND_OK: return []
    case MUX_PG_TUPLES_OK: return rows(result)
    default: throw failure(result)
    }
  }

  /// The answer to what was sent last.
  private func answer() throws -> OpaquePointer {
    while true {
      let state = pq.flush(handle)
      if state < 0 { throw lost() }
      if state == 0 { break }
      // The server may want to be read from before it takes more.
      try wait(for: Int16(POLLIN | POLLOUT))
      guard pq.consumeInput(handle) == 1 else { throw lost() }
    }
    var last: OpaquePointer?
    do {
      while true {
        while pq.isBusy(handle) == 1 {
          try wait(for: Int16(POLLIN))
          guard pq.consumeInput(handle) == 1 else { throw lost() }
        }
        guard let next = pq.getResult(handle) else { break }
        pq.clear(last)
        last = next
      }
    } catch {
      pq.clear(last)
      throw error
    }
    guard let last else { throw lost() }
    return last
  }

  /// Waits until the connection can be read or written.
  ///
  /// - Throws: ``StudyError/unreachable(url:reason:)`` after the time-out. What the server makes of the
  ///   statement is then unknown, so that the connection is of no use any more.
  private func wait(for events: Int16) throws {
    var watch = Stopwatch()
    while true {
      var place = pollfd(fd: pq.socket(handle), events: events, revents: 0)
      let left = Double(timeout) - watch.seconds()
      let ready = left > 0 ? poll(&place, 1, Int32(min(left, 1e6) * 1000) + 1) : 0
      if ready > 0 { return }
      if ready < 0, errno == EINTR { continue }
      guard ready == 0, left <= 0 else {
        if ready == 0 { continue }
        throw lost()
      }
      pq.finish(handle)
      handle = nil
      let error = StudyError.unreachable(
        url: url, reason: "the server has not answered for \(timeout) s")
      silence = (error, Stopwatch())
      throw error
    }
  }

  /// The error of a connection that libpq gave up.
  private func lost() -> StudyError {
    .unreachable(url: url, reason: line(pq.errorMessage(handle)))
  }

  private func rows(_ result: OpaquePointer) -> [SQLRow] {
    let count = pq.nfields(result)
    let places = Dictionary(
      (0..<count).map { (pq.fname(result, $0).map { String(cString: $0) } ?? "", Int($0)) },
      uniquingKeysWith: { _, last in last })
    return (0..<pq.ntuples(result)).map { row in
      SQLRow(
        places,
        (0..<count).map { column in
          guard pq.getisnull(result, row, column) == 0,
            let text = pq.getvalue(result, row, column)
          else { return .null }
          return .text(String(cString: text))
        })
    }
  }

  private func failure(_ result: OpaquePointer) -> StudyError {
    let state = pq.resultErrorField(result, MUX_PG_DIAG_SQLSTATE).map { String(cString: $0) } ?? ""
    let reason =
      pq.resultErrorField(result, MUX_PG_DIAG_MESSAGE_PRIMARY).map { line($0) }
      ?? line(pq.errorMessage(handle))
    // 08: connection, 57P: the server shuts down or starts, 40: conflict of transactions.
    if !isSound || state.isEmpty
      || ["08", "57P", "40"].contains(where: state.hasPrefix)
    {
      return .unreachable(url: url, reason: reason)
    }
    // 53: out of disk, memory or connections.
    if state == "53300" { return .unreachable(url: url, reason: reason) }
    if state.hasPrefix("53") { return .full(url: url, reason: reason) }
    return .database(url: url, reason: reason)
  }

  /// A message on one line, without secrets.
  private func line(_ text: UnsafePointer<CChar>?) -> String {
    let lines = text.map { String(cString: $0) } ?? ""
    let joined = lines.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    return joined.isEmpty ? "no reason given" : address.withoutSecrets(joined)
  }
}
