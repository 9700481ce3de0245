// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite("Trials are given out and come back", .tags(.waits), .endsSometime, .onWaitingThreads)
struct CoordinatorTests {
  private func coordinator(
    _ kind: StoreKind, _ folder: TemporaryFolder
  ) throws -> StudyCoordinator {
    StudyCoordinator(try StudyStorage.open(kind.url(in: folder), for: .create))
  }

  @Test(
    "One worker gets what the algorithm would have asked without a storage",
    arguments: AlgorithmSettings.named.map(\.settings))
  func sameAsWithoutStorage(settings: AlgorithmSettings) throws {
    let folder = try TemporaryFolder()
    let definition = try Sample.definition(trials: 60, algorithm: settings, seed: 3)
    var algorithm = try definition.algorithm.make(
      definition.problem(), goal: definition.goal, seed: 3)
    var expected: [Genome] = []
    while expected.count < 60, let candidate = algorithm.ask() {
      expected.append(candidate.genome)
      let trial = Trial(candidate, created: Date())
      try algorithm.tell([
        Evaluation(id: candidate.id, objectives: Sample.objectives(trial, definition))
      ])
    }
    let url = try StoreKind.sqlite.url(in: folder)
    let first = StudyCoordinator(try StudyStorage.open(url, for: .create))
    let study = try first.create("a", definition)
    var genomes: [Genome] = []
    for number in 0..<60 {
      // Every trial by another process, which has to restore the algorithm.
      let coordinator =
        number % 7 == 0 ? StudyCoordinator(try StudyStorage.open(url, for: .write)) : first
      let lease = try coordinator.take(study, Sample.worker(Int32(number)))
      genomes.append(lease.trial.genome)
      let values = try Sample.objectives(lease.trial, definition)
      try coordinator.finish(lease, .complete(objectives: values))
    }
    #expect(genomes == expected)
    try #expect(first.next(of: study, for: Sample.worker(1)) == .done)
  }

  @Test("No two workers get the same trial or network", arguments: StoreKind.available)
  func distinctTrials(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition(trials: 12))
    let leases = try (0..<12).map { try coordinator.take(study, Sample.worker(Int32($0))) }
    #expect(leases.map(\.trial.number) == Array(0..<12))
    #expect(Set(leases.map(\.trial.key)).count == 12)
    try #expect(coordinator.next(of: study, for: Sample.worker(20)) == .wait)
    // Asking again without having finished gives the same trial: the answer may have been lost.
    try #expect(coordinator.take(study, Sample.worker(5)).trial.number == 5)
    try #expect(coordinator.trials(study).map(\.attempt) == Array(repeating: 1, count: 12))
  }

  @Test("A result is kept once, however often it is sent", arguments: StoreKind.available)
  func idempotentFinish(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition())
    let lease = try coordinator.take(study, Sample.worker(1))
    try coordinator.finish(lease, .complete(objectives: [9, 8, 7]), attributes: ["epochs": "3"])
    try coordinator.finish(lease, .complete(objectives: [1, 1, 1]))
    let trial = try coordinator.trials(study)[0]
    #expect(trial.objectives == [9, 8, 7])
    #expect(trial.attributes == ["epochs": "3"])
    #expect(trial.state == .complete)
    #expect(trial.finishOrder == 0)
    #expect(!trial.isTold)
    _ = try coordinator.take(study, Sample.worker(1))
    try #expect(coordinator.trials(study)[0].isTold)
  }

  @Test(
    "A worker without heart-beats loses its trial to another one", arguments: StoreKind.available)
  func staleTrials(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition(lease: 8))
    let silent = try coordinator.take(study, Sample.worker(1))
    let first = try #require(try coordinator.trials(study)[0].leaseEnd)
    Thread.sleep(forTimeInterval: 0.05)
    try coordinator.renew(silent)
    let shown = try coordinator.trials(study)[0]
    let prolonged = try #require(shown.leaseEnd)
    #expect(prolonged > first, "the heart-beat has prolonged the lease")
    try #expect(coordinator.expireLeases(of: study) == 0)
    #expect(shown.state == .running)
    #expect(shown.state(at: prolonged.addingTimeInterval(1)) == .stale)
    // No further heart-beat: the lease ends by itself.
    let limit = Date(timeIntervalSinceNow: 120)
    while try coordinator.expireLeases(of: study) == 0, Date() < limit {
      Thread.sleep(forTimeInterval: 0.1)
    }
    let stale = try coordinator.trials(study)[0]
    #expect(stale.state == .stale)
    #expect(stale.reason == "worker elsewhere:1:00000001 stopped sending heart-beats")
    // It comes before any new trial.
    let second = try coordinator.take(study, Sample.worker(2))
    #expect(second.trial.number == 0)
    #expect(second.trial.attempt == 2)
    #expect(throws: StudyError.leaseLost(study: "a", number: 0)) {
      try coordinator.finish(silent, .complete(objectives: [1, 1, 1]))
    }
    #expect(throws: StudyError.leaseLost(study: "a", number: 0)) { try coordinator.renew(silent) }
    try coordinator.finish(second, .complete(objectives: [2, 2, 2]))
    try #expect(coordinator.trials(study)[0].objectives == [2, 2, 2])
  }

  @Test("A late result of a stale trial that nobody took counts", arguments: StoreKind.available)
  func lateResult(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition(lease: 0.5))
    let lease = try coordinator.take(study, Sample.worker(1))
    Thread.sleep(forTimeInterval: 0.6)
    try #expect(coordinator.expireLeases(of: study) == 1)
    try coordinator.finish(lease, .complete(objectives: [1, 2, 3]))
    try #expect(coordinator.trials(study)[0].state == .complete)
  }

  @Test("After too many vanished workers a trial fails, and the algorithm hears of it")
  func retriesEnd() throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(.sqlite, folder)
    let study = try coordinator.create("a", try Sample.definition(lease: 0.5, retries: 1))
    for attempt in 1...2 {
      let lease = try coordinator.take(study, Sample.worker(Int32(attempt)))
      #expect(lease.trial.number == 0)
      Thread.sleep(forTimeInterval: 0.6)
    }
    let next = try coordinator.take(study, Sample.worker(3))
    #expect(next.trial.number == 1)
    let failed = try coordinator.trials(study)[0]
    #expect(failed.state == .failed)
    #expect(
      failed.reason
        == "worker elsewhere:2:00000002 stopped sending heart-beats, attempt 2, which was the last")
    #expect(failed.isTold)
  }

  @Test("The trial of a process that is known to be dead is stale at once")
  func deadProcess() throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(.sqlite, folder)
    let study = try coordinator.create("a", try Sample.definition())
    let process = try ChildProcess("/bin/sh", ["-c", "exit"], environment: [:])
    process.wait()
    var worker = ProcessIdentity.current()
    worker.process = process.processIdentifier
    #expect(worker.isKnownToBeDead)
    #expect(!ProcessIdentity.current().isKnownToBeDead)
    #expect(!Sample.worker(1).isKnownToBeDead, "nobody knows about other machines")
    var other = worker
    other.nonce = (worker.nonce.hasPrefix("0") ? "f" : "0") + worker.nonce.dropFirst()
    #expect(!other.isKnownToBeDead, "a machine or container of the same name")
    _ = try coordinator.take(study, worker)
    try #expect(coordinator.take(study, Sample.worker(2)).trial.attempt == 2)
  }

  @Test(
    "Where the machine stood still, a living process of it has time for a heart-beat",
    arguments: StoreKind.available)
  func standstill(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition(trials: 1, lease: 4))
    let lease = try coordinator.take(study, .current())
    // As after a sleep: its lease has been over for a while.
    func sleep() throws {
      try coordinator.store.write { transaction in
        var trial = try #require(try transaction.trial(0, of: study.id))
        trial.leaseEnd = try transaction.now().addingTimeInterval(-60)
        try transaction.update(trial, of: study.id)
      }
    }
    try sleep()
    try #expect(coordinator.expireLeases(of: study) == 0)
    #expect(try coordinator.trials(study)[0].reason?.contains("is alive") ?? false)
    guard case .wait = try coordinator.next(of: study, for: Sample.worker(2)) else {
      Issue.record("the trial of a living process was given to another")
      return
    }
    try coordinator.renew(lease)
    try #expect(coordinator.trials(study)[0].reason == nil)
    // Once more, and this time it sends no beat: it hangs, so that the trial is another's.
    try sleep()
    try #expect(coordinator.expireLeases(of: study) == 0)
    try sleep()
    try #expect(coordinator.expireLeases(of: study) == 1)
    try #expect(coordinator.take(study, Sample.worker(2)).trial.attempt == 2)
  }

  @Test("A trial that is put back does not lose an attempt", arguments: StoreKind.available)
  func release(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition())
    let lease = try coordinator.take(study, Sample.worker(1))
    try coordinator.release(lease)
    try #expect(coordinator.trials(study)[0].state == .waiting)
    let again = try coordinator.take(study, Sample.worker(2))
    #expect(again.trial.number == 0)
    #expect(again.trial.attempt == 1)
  }

  @Test(
    "Numbers that are not finite, or too few, are failures with a reason",
    arguments: [
      ([Double.nan, 1, 1], "'error' is nan, not a finite number"),
      ([1, .infinity, 1], "'params' is inf, not a finite number"),
      ([1], "the evaluation gave 1 objectives instead of 3"),
    ])
  func unusableResults(values: [Double], reason: String) throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", try Sample.definition())
    try coordinator.finish(
      try coordinator.take(study, Sample.worker(1)), .complete(objectives: values))
    let trial = try coordinator.trials(study)[0]
    #expect(trial.state == .failed)
    #expect(trial.objectives == nil)
    #expect(trial.reason == reason)
    try coordinator.workThrough(study, Sample.worker(2))
  }

  @Test(
    "Failed trials can be tried again, and the algorithm learns from them",
    arguments: StoreKind.available)
  func retry(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    let study = try coordinator.create("a", try Sample.definition(trials: 8))
    for number in 0..<8 {
      let lease = try coordinator.take(study, Sample.worker(1))
      let values = try Sample.objectives(lease.trial, study.definition)
      try coordinator.finish(
        lease, [1, 4].contains(number) ? .failed(reason: "no luck") : .complete(objectives: values))
    }
    #expect(throws: StudyError.unknownTrial(study: "a", number: 8, count: 8)) {
      try coordinator.retry([8], of: study)
    }
    #expect(
      throws: StudyError.wrongState(study: "a", number: 0, state: .complete, expected: "failed")
    ) { try coordinator.retry([0], of: study) }
    try #expect(coordinator.retry([4], of: study) == [4])
    try #expect(coordinator.retry(nil, of: study) == [1])
    try #expect(coordinator.retry(nil, of: study).isEmpty)
    for number in [1, 4] {
      let lease = try coordinator.take(study, Sample.worker(2))
      #expect(lease.trial.number == number)
      #expect(lease.trial.attempt == 1)
      let values = try Sample.objectives(lease.trial, study.definition)
      try coordinator.finish(lease, .complete(objectives: values))
    }
    try coordinator.setLimits(StudyLimits(trials: 9), of: study)
    _ = try coordinator.take(study, Sample.worker(3))
    let trials = try coordinator.trials(study)
    #expect(trials.prefix(8).allSatisfy { $0.state == .complete && $0.isTold })
    #expect(Set(trials.compactMap(\.finishOrder)) == Set(0..<8))
  }

  @Test("A study whose evaluation never works stops asking, and goes on when that is fixed")
  func neverWorks() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", try Sample.definition(trials: 100))
    for number in 0..<StudyCoordinator.failuresBeforeStop {
      try coordinator.finish(
        try coordinator.take(study, Sample.worker(1)), .failed(reason: "broken \(number)"))
    }
    #expect(throws: StudyError.alwaysFails(study: "a", count: 10, reason: "broken 9")) {
      try coordinator.next(of: study, for: Sample.worker(1))
    }
    try #expect(coordinator.retry(nil, of: study).count == 10)
    try #expect(coordinator.take(study, Sample.worker(1)).trial.number == 0)
  }

  @Test("A space that is used up ends the study before its budget")
  func exhaustedSpace() throws {
    var space = try NetworkSpace.named("digits")
    space.stem = [8]
    space.head = [0, 32]
    for index in space.stages.indices {
      space.stages[index].width = [8]
      space.stages[index].reductionKernels = ["3"]
      space.stages[index].reductionExpansion = [1]
      space.stages[index].repeats = [0]
    }
    let definition = try StudyDefinition(
      networks: space, targets: [], algorithm: .random, seed: 0, evaluation: .command(line: "x"))
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create("a", definition)
    try #expect(coordinator.workThrough(study, Sample.worker(1)).count == 2)
  }

  @Test("Early stopping looks at the trials of all workers", arguments: StoreKind.available)
  func earlyStopping(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let coordinator = try coordinator(kind, folder)
    var definition = try Sample.definition(trials: 10)
    definition.goal = .wholeFront(partitions: 4)
    definition.earlyStopping = ParetoHalving.Settings()
    let study = try coordinator.create("a", definition)
    var decisions: [ParetoHalving.Decision] = []
    for number in 0..<8 {
      let lease = try coordinator.take(study, Sample.worker(Int32(number)))
      let worse = Double(number + 1)
      decisions.append(
        try coordinator.report(lease, resource: 1, objectives: [worse, worse, worse]))
      try #expect(
        coordinator.report(lease, resource: 2, objectives: [worse, worse, worse]) == .proceed,
        "2 epochs are no rung")
    }
    // The first three have no company yet; the later ones are dominated by all before them.
    #expect(decisions == [.proceed, .proceed, .proceed] + Array(repeating: .stop, count: 5))
  }
}
