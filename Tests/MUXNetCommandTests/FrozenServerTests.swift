// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A database server that neither answers nor closes its connections. The time-outs are shorter here than
/// a user's.
@Suite(
  "A frozen PostgreSQL", .serialized,
  .enabled(
    if: PostgresServer.isAvailable, "PostgreSQL is not installed"),
  .tags(.processes), .endsSometime, .onWaitingThreads)
struct FrozenServerTests {
  private func withServer(_ body: (PostgresServer, StorageURL) throws -> Void) throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let url = try server.newDatabase()
    defer { try? server.freeze(false) }
    try body(server, url)
  }

  /// The address with another time-out. (libpq makes 2 of 1.)
  private func impatient(_ url: StorageURL) throws -> StorageURL {
    try StorageURL("\(url.textWithSecrets)?connect_timeout=2")
  }

  @Test("Every call ends with one line, those behind it at once; after the thaw all goes on")
  func calls() throws {
    try withServer { server, url in
      let coordinator = StudyCoordinator(
        try StudyStorage.open(try impatient(url), for: .create), retry: .none)
      let study = try coordinator.create("a", try Sample.definition(trials: 5))
      let lease = try coordinator.take(study, Sample.worker(1))
      try server.freeze(true)
      var start = ContinuousClock.now
      let error = #expect(throws: StudyError.self) { _ = try coordinator.studies() }
      #expect(error?.isTransient == true)
      #expect("\(error.map { "\($0)" } ?? "")".contains("has not answered for 2 s"))
      let first = start.duration(to: .now)
      start = .now
      for _ in 0..<5 { #expect(throws: StudyError.self) { try coordinator.renew(lease) } }
      // However busy the machine: each of them would wait as long as the first.
      #expect(start.duration(to: .now) < first)
      let opening = #expect(throws: StudyError.self) {
        _ = try StudyStorage.open(try impatient(url), for: .read)
      }
      #expect(opening?.isTransient == true)
      try server.freeze(false)
      #expect(eventually { (try? coordinator.renew(lease)) != nil })
      try coordinator.finish(lease, .complete(objectives: [1, 2, 3]))
      try #expect(coordinator.trials(study).map(\.state) == [.complete])
    }
  }

  @Test("A search waits through it: every trial is evaluated, and counted once")
  func search() throws {
    try withServer { server, url in
      let folder = try TemporaryFolder()
      let coordinator = StudyCoordinator(
        try StudyStorage.open(url, for: .create), retry: RetryPolicy(patience: 60))
      let line = "cat >/dev/null; sleep 0.2; echo '{\"error\": 7}'"
      let study = try coordinator.create(
        "frozen", try Sample.definition(trials: 20, evaluation: .command(line: line), lease: 60))
      let master = try Program(
        [
          "search", "run", "--workers", "2", "--storage", try impatient(url).textWithSecrets,
        ], in: folder.path)
      func completed() throws -> Int {
        try coordinator.store.read { try $0.counts(of: study.id)[.complete] ?? 0 }
      }
      try #expect(eventually { try completed() >= 3 })
      try server.freeze(true)
      sleep(6)
      #expect(master.isRunning)
      try server.freeze(false)
      master.wait()
      #expect(master.code == 0, "\(master.errors)")
      #expect(master.errors.contains("trying again for"), "\(master.errors)")
      let trials = try coordinator.trials(study)
      #expect(trials.count == 20 && trials.allSatisfy { $0.state == .complete })
      #expect(Set(trials.compactMap(\.finishOrder)) == Set(0..<20))
    }
  }

  @Test("The dashboard answers that the server does not, and shows the study after the thaw")
  func dashboard() throws {
    try withServer { server, url in
      let folder = try TemporaryFolder()
      let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
      _ = try coordinator.create("shown", try Sample.definition(trials: 3))
      let program = try Program(
        ["dashboard", "--port", "0", "--storage", try impatient(url).textWithSecrets],
        in: folder.path)
      #expect(eventually { program.errors.contains("http://127.0.0.1:") || !program.isRunning })
      let match = try #require(program.errors.firstMatch(of: /http:\/\/127\.0\.0\.1:(\d+)\//))
      let script = """
        exec 3<>/dev/tcp/127.0.0.1/\(match.1)
        printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
        timeout 30 cat <&3
        """
      try Data(script.utf8).write(to: URL(filePath: folder("page.sh")))
      func page() throws -> String {
        let caller = try Program(shell: "exec bash page.sh", in: folder.path)
        caller.wait()
        return caller.output
      }
      try #expect(page().contains("shown"))
      try server.freeze(true)
      let frozen = try page()
      #expect(frozen.hasPrefix("HTTP/1.1 503"), "\(frozen)")
      #expect(frozen.contains("has not answered for 2 s"), "\(frozen)")
      try server.freeze(false)
      try #expect(eventually { try page().hasPrefix("HTTP/1.1 200") })
      try #expect(page().contains("shown"))
      program.send(SIGINT)
    }
  }
}
