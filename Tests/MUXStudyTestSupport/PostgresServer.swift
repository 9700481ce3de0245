// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXStudies
import MUXTestSupport
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A private PostgreSQL server on a free port of the loopback interface, in a folder of its own. It
/// ends with the process that started it, however that ends.
package final class PostgresServer: Sendable {
  /// Why there is no server, nil if there can be one.
  package static let absence: String? = {
    if let absence = PostgresLibrary.absence { return absence }
    guard binaries != nil else { return "initdb and postgres are not installed" }
    guard getuid() != 0 || unprivileged != nil else {
      return "PostgreSQL does not run as root, and there is no user to run it as"
    }
    return nil
  }()

  package static var isAvailable: Bool { absence == nil }

  /// The server that all tests share.
  package static let shared = Result { try PostgresServer() }

  package let port: Int
  private let folder: String
  private let watcher = Mutex<ChildProcess?>(nil)
  private let databases = Atomic<Int>(0)

  private static let binaries: String? = {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    return (versions.sorted().reversed().map { "\(root)/\($0)/bin" } + path.map(String.init))
      .first { folder in
        ["initdb", "postgres", "createdb"].allSatisfy {
          FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
        }
      }
  }()

  private static let unprivileged: String? =
    ["postgres", "nobody"].first { getpwnam($0) != nil }

  package init() throws {
    folder =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("muxnet-pg-\(UUID().uuidString.prefix(8))").path
    port = try FreePort.find()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    if getuid() == 0, let user = Self.unprivileged { try Self.check("chown \(user) '\(folder)'") }
    try Self.check(
      Self.unprivilegedShell(
        "'\(Self.binaries ?? "")/initdb' -D '\(folder)/data' -U tester -A trust -N -E UTF8"
          + " --locale=C"))
    try start()
  }

  /// Starts the server and waits until it answers.
  package func start() throws {
    try? FileManager.default.removeItem(atPath: "\(folder)/stop")
    // The watcher stops the server when it is told to, and when the tests have ended in any way.
    let script = """
      '\(Self.binaries ?? "")/postgres' -D '\(folder)/data' -h 127.0.0.1 -p \(port) \
      -k '\(folder)' -F -c max_connections=60 -c shared_buffers=16MB >>'\(folder)/log' 2>&1 &
      server=$!
      while [ ! -e '\(folder)/stop' ] && ps -p \(getpid()) >/dev/null; do sleep 0.2; done
      kill -INT $server
      wait $server
      [ "$(cat '\(folder)/stop' 2>/dev/null)" = keep ] || rm -rf '\(folder)'
      """
    let process = try ChildProcess(
      "/bin/sh", ["-c", Self.unprivilegedShell(script)],
      environment: ProcessInfo.processInfo.environment, folder: "/", bond: .none)
    watcher.withLock { $0 = process }
    for _ in 0..<600 {
      if (try? Self.check("'\(Self.binaries ?? "")/pg_isready' -q -h 127.0.0.1 -p \(port)")) != nil
      {
        return
      }
      usleep(50_000)
    }
    throw ServerError(text: "the server does not start; see \(folder)/log")
  }

  /// Stops the server as an administrator would in a hurry; the data stay.
  package func stop() throws { try end("keep") }

  /// Ends the server and removes its data.
  package func remove() { try? end("remove") }

  private func end(_ word: String) throws {
    guard let process = watcher.withLock({ $0 }) else { return }
    try Data(word.utf8).write(to: URL(fileURLWithPath: "\(folder)/stop"))
    process.wait()
    watcher.withLock { $0 = nil }
  }

  /// Stops all of the server's processes where they are, or lets them go on.
  package func freeze(_ isFrozen: Bool) throws {
    let signal = isFrozen ? "STOP" : "CONT"
    try Self.check(
      "main=$(head -n 1 '\(folder)/data/postmaster.pid'); kill -\(signal) $main;"
        + " kill -\(signal) $(ps -o pid= --ppid $main) || true")
  }

  /// A new and empty database.
  package func newDatabase() throws -> StorageURL {
    let name = "db\(databases.wrappingAdd(1, ordering: .relaxed).newValue)"
    try Self.check(
      "'\(Self.binaries ?? "")/createdb' -h 127.0.0.1 -p \(port) -U tester \(name)")
    return try StorageURL("postgresql://tester@127.0.0.1:\(port)/\(name)")
  }

  /// Runs a statement.
  package func execute(_ sql: String, in database: StorageURL) throws {
    try Self.check("'\(Self.binaries ?? "")/psql' -q -d '\(database.textWithSecrets)' -c '\(sql)'")
  }

  package struct ServerError: Error, CustomStringConvertible {
    var text: String
    package var description: String { text }
  }

  private static func unprivilegedShell(_ script: String) -> String {
    guard getuid() == 0, let user = unprivileged else { return script }
    let quoted = script.replacingOccurrences(of: "'", with: "'\\''")
    return "cd / && exec runuser -u \(user) -- /bin/sh -c '\(quoted)'"
  }

  private static func check(_ command: String) throws {
    let process = try ChildProcess(
      "/bin/sh", ["-c", command], environment: ProcessInfo.processInfo.environment, folder: "/")
    if process.wait() != .exit(code: 0) { throw ServerError(text: "failed: \(command)") }
  }
}
