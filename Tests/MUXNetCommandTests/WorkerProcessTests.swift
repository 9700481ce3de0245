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

/// Searches by real processes on a shared storage. The evaluation is a line of the shell.
@Suite(
  "Searches survive their processes", .serialized, .tags(.processes), .endsSometime,
  .onWaitingThreads)
struct WorkerProcessTests {
  private func evaluation(seconds: Double) -> EvaluationMethod {
    .command(
      line: "cat >/dev/null; sleep \(seconds); echo \"{\\\"error\\\": $((MUXNET_TRIAL % 17 + 3))}\""
    )
  }

  /// Every trial complete, each network once, each result told once.
  private func check(_ coordinator: StudyCoordinator, _ study: Study, count: Int) throws {
    let trials = try coordinator.trials(study)
    #expect(trials.count == count)
    #expect(trials.allSatisfy { $0.state == .complete }, "\(trials.map(\.state))")
    #expect(Set(trials.map(\.key)).count == count)
    #expect(Set(trials.compactMap(\.finishOrder)) == Set(0..<count))
    #expect(trials.allSatisfy { $0.objectives?.first == Double($0.number % 17 + 3) })
    // Asking for one more tells the algorithm what is left; telling a result twice would throw.
    try coordinator.setLimits(StudyLimits(trials: count + 1), of: study)
    let extra = try coordinator.take(study, Sample.worker(1))
    #expect(extra.trial.number == count)
    try #expect(coordinator.trials(study).prefix(count).allSatisfy(\.isTold))
  }

  @Test("Eight workers share the trials of a study", arguments: StoreKind.shared)
  func eightWorkers(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    let definition = try Sample.definition(
      trials: 48, algorithm: .guided(), evaluation: evaluation(seconds: 0.02))
    let study = try coordinator.create("eight", definition)
    let workers = try (0..<8).map { _ in
      try Program(
        ["search", "worker", "--quiet", "--storage", url.textWithSecrets], in: folder.path)
    }
    for worker in workers { worker.wait() }
    #expect(workers.map(\.code) == Array(repeating: 0, count: 8), "\(workers.map(\.errors))")
    let trials = try coordinator.trials(study)
    #expect(trials.allSatisfy { $0.attempt == 1 })
    #expect(Set(trials.compactMap(\.worker)).count > 1, "one worker did everything")
    try check(coordinator, study, count: 48)
  }

  @Test(
    "Killing workers and masters at random loses and repeats nothing", arguments: StoreKind.shared)
  func randomKills(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let coordinator = StudyCoordinator(
      try StudyStorage.open(url, for: .create), retry: RetryPolicy(patience: 30))
    let count = 36 * Repeats.factor
    let definition = try Sample.definition(
      trials: count, evaluation: evaluation(seconds: 0.3), lease: 2, retries: 100)
    let study = try coordinator.create("killed", definition)
    let arguments =
      ["search", "run", "killed", "--workers", "3", "--quiet"]
      + ["--storage", url.textWithSecrets]
    var random = SearchRandom(seed: 7, purpose: "kills")
    var master = try Program(arguments, in: folder.path)
    var kills = (workers: 0, masters: 0)
    while kills.workers < 8 * Repeats.factor || kills.masters < 3 * Repeats.factor {
      usleep(UInt32(100_000 + random.below(300_000)))
      if !master.isRunning { master = try Program(arguments, in: folder.path) }
      let running = try coordinator.store.read {
        try $0.trials(of: study.id, in: [.running], limit: nil)
      }
      let processes = running.compactMap { $0.worker.flatMap(ProcessIdentity.init)?.process }
      let counts = try coordinator.store.read { try $0.counts(of: study.id) }
      guard counts[.complete] ?? 0 < count - 6 else { break }
      // The third is a master in any case: all may be done before chance picks one.
      let isMasters = random.below(4) == 0 || kills == (2, 0)
      if isMasters, kills.masters < 3 * Repeats.factor {
        master.send(SIGKILL)
        master.wait()
        kills.masters += 1
      } else if !processes.isEmpty {
        kill(processes[random.below(processes.count)], SIGKILL)
        kills.workers += 1
      }
    }
    #expect(kills.workers >= 4)
    #expect(kills.masters >= 1)
    try #expect(
      eventually {
        if !master.isRunning, master.code != 0 { master = try Program(arguments, in: folder.path) }
        return !master.isRunning && master.code == 0
      })
    let attempts = try coordinator.trials(study).map(\.attempt)
    #expect(attempts.contains { $0 > 1 }, "no kill hit a trial")
    try check(coordinator, study, count: count)
  }

  @Test(
    "The database stops and starts again in mid-search",
    .enabled(
      if: PostgresServer.isAvailable, "PostgreSQL is not installed")
  )
  func databaseRestart() throws {
    let folder = try TemporaryFolder()
    let server = try PostgresServer()
    defer { server.remove() }
    let url = try server.newDatabase()
    let coordinator = StudyCoordinator(
      try StudyStorage.open(url, for: .create), retry: RetryPolicy(patience: 60))
    let study = try coordinator.create(
      "restart", try Sample.definition(trials: 30, evaluation: evaluation(seconds: 0.2), lease: 5))
    let master = try Program(
      ["search", "run", "--workers", "3", "--storage", url.textWithSecrets], in: folder.path)
    func completed() throws -> Int {
      try coordinator.retry {
        try coordinator.store.read { try $0.counts(of: study.id)[.complete] ?? 0 }
      }
    }
    try #expect(eventually { try completed() >= 5 })
    for _ in 0..<2 {
      let before = try completed()
      try server.stop()
      sleep(1)
      try server.start()
      try #expect(eventually { try completed() >= min(before + 3, 30) })
    }
    master.wait()
    #expect(master.code == 0, "\(master.errors)")
    #expect(master.errors.contains("trying again for"))
    try check(coordinator, study, count: 30)
  }

  @Test("Ctrl-C puts the trials back, ends with 130, and the search goes on later")
  func interruption() throws {
    let folder = try TemporaryFolder()
    let url = try StoreKind.sqlite.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    let study = try coordinator.create(
      "stopped", try Sample.definition(trials: 8, evaluation: evaluation(seconds: 0.3)))
    let arguments = ["search", "run", "--workers", "2", "--storage", url.textWithSecrets]
    let first = try Program(arguments, in: folder.path)
    try #expect(
      eventually {
        try coordinator.store.read { try $0.counts(of: study.id)[.complete] ?? 0 } >= 2
      })
    first.send(SIGINT)
    first.wait()
    #expect(first.code == 130, "\(first.errors)")
    #expect(first.errors.contains("go on with: muxnet search run stopped"))
    let trials = try coordinator.trials(study)
    #expect(trials.allSatisfy { $0.state == .complete || $0.state == .waiting })
    #expect(trials.filter { $0.state == .waiting }.allSatisfy { $0.attempt == 0 })
    try #expect(coordinator.study(named: nil).master == nil)
    let second = try Program.run(arguments, in: folder.path)
    #expect(second.code == 0, "\(second.errors)")
    try check(coordinator, study, count: 8)
  }

  @Test("Whatever is killed, evaluations end with it, and nothing stays in the temporary folder")
  func nothingStays() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("tmp")
    let url = try StoreKind.sqlite.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    // The shell and two of its children, one of which no longer has it as parent.
    let line = """
      (sleep 1000 & echo $! >>pids); sleep 1001 & echo $! $$ >>pids; wait
      """
    let study = try coordinator.create(
      "killed", try Sample.definition(trials: 4, evaluation: .command(line: line)))
    func pids() -> [Int32] {
      ((try? String(contentsOfFile: folder("pids"), encoding: .utf8)) ?? "")
        .split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }
    func live() -> [Int32] { pids().filter { kill($0, 0) == 0 } }
    let master = try Program(
      shell: "TMPDIR=\"$PWD/tmp\" exec \"$MUXNET\" search run --workers 1 --storage "
        + url.textWithSecrets, in: folder.path)
    #expect(eventually { pids().count == 3 })
    let worker = try #require(
      try coordinator.trials(study)[0].worker.flatMap(ProcessIdentity.init)?.process)
    kill(worker, SIGKILL)
    // The next worker begins the trial anew; of the first evaluation nothing is left.
    #expect(eventually { pids().count == 6 })
    #expect(eventually { Set(live()).isDisjoint(with: pids().prefix(3)) })
    master.send(SIGKILL)
    master.wait()
    #expect(eventually { live().isEmpty })
    #expect(
      eventually {
        (try? FileManager.default.contentsOfDirectory(atPath: folder("tmp")).isEmpty) ?? false
      })
  }

  @Test("A worker whose master was killed puts its trial back and ends")
  func orphans() throws {
    let folder = try TemporaryFolder()
    let url = try StoreKind.sqlite.url(in: folder)
    let coordinator = StudyCoordinator(try StudyStorage.open(url, for: .create))
    let study = try coordinator.create(
      "orphans", try Sample.definition(trials: 4, evaluation: evaluation(seconds: 60)))
    let master = try Program(
      ["search", "run", "--workers", "2", "--storage", url.textWithSecrets], in: folder.path)
    try #expect(
      eventually {
        try coordinator.store.read { try $0.counts(of: study.id)[.running] ?? 0 } == 2
      })
    master.send(SIGKILL)
    master.wait()
    try #expect(
      eventually {
        try coordinator.store.read { try $0.counts(of: study.id)[.waiting] ?? 0 } == 2
      })
  }
}
