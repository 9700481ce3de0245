// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Dispatch
import Foundation
import MUXCore
import MUXDashboard
import MUXStudies
import Synchronization

/// Shows studies in a browser, as they go.
struct DashboardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dashboard",
    abstract: "Show the studies of a storage in a browser, live.",
    discussion: """
      The storage is read, never written. Pages are served to this machine only unless --host names \
      another address. There are no passwords: everyone who can reach it can read the studies. \
      Behind a reverse proxy that asks for passwords, leave --host as it is and name the proxy's \
      host with --trust-host. Ctrl-C ends it.

      EXAMPLES
        muxnet dashboard
        muxnet dashboard --storage sqlite:///runs/search/studies.db --port 8081
      """)

  @OptionGroup var storage: StorageOptions

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 for any free port.")
  var port = 8080

  @Option(
    name: .customLong("trust-host"),
    help: ArgumentHelp(
      "A host name by which requests may come, such as that of a reverse proxy; may be given several "
        + "times.", valueName: "name"))
  var trustedHosts: [String] = []

  /// Seconds after which connections without a request end.
  @Option(help: .hidden)
  var idle = 15.0

  func validate() throws {
    for name in trustedHosts where name.isEmpty || name.contains(where: { "/:@ ".contains($0) }) {
      throw ValidationError("--trust-host takes a host's name without port, not '\(name)'")
    }
    if !(0...65535).contains(port) {
      throw ValidationError("--port must be from 0 to 65535, not \(port)")
    }
    if host.isEmpty { throw ValidationError("--host must not be empty") }
  }

  func run() throws {
    // The server's threads, one per core, open a few files each.
    try OpenFiles.require(12 + 4 * ProcessInfo.processInfo.activeProcessorCount)
    // Who looks at a page waits less long than a worker.
    let model = DashboardModel(
      try StudyStorage.open(try storage.url(), for: .read, timeout: 5))
    if !Dashboard.isLoopback(host), trustedHosts.isEmpty {
      Console.warning("everyone who reaches \(host):\(port) can read the studies")
    }
    let (host, port, trusted, idle) = (host, port, trustedHosts, idle)
    let server = Failure()
    try waitFor {
      // Large studies are read before the first page is asked for.
      _ = try await model.snapshots()
      let application = Dashboard.application(
        model, host: host, port: port, trusting: trusted, idle: idle
      ) { port in
        let name = host.contains(":") ? "[\(host)]" : host
        Console.note("studies of \(model.address): http://\(name):\(port)/  (Ctrl-C ends it)")
      }
      do {
        try await application.runService()
      } catch {
        server.error.withLock { $0 = error }
      }
    }
    if let error = server.error.withLock({ $0 }) {
      throw CommandError(
        "cannot listen on \(host):\(port): \(error); take another --port or --host")
    }
  }

  /// Runs asynchronous work to its end; the command line itself is synchronous.
  private func waitFor(_ work: @escaping @Sendable () async throws -> Void) throws {
    let end = DispatchSemaphore(value: 0)
    let failure = Failure()
    Task.detached {
      do { try await work() } catch { failure.error.withLock { $0 = error } }
      end.signal()
    }
    end.wait()
    if let error = failure.error.withLock({ $0 }) { throw error }
  }

  private final class Failure: Sendable {
    let error = Mutex<(any Error)?>(nil)
  }
}
