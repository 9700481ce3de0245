// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Synchronization
import Testing

/// A measure that does something on the side.
private struct Measure: LatencyMeasure {
  let aside: @Sendable () throws -> Void

  func milliseconds(_ architecture: Architecture) throws -> Double {
    try aside()
    return StemLatency.milliseconds(architecture)
  }
}

@Suite("Limits that have to be measured")
struct MeasuredLimitTests {
  private static func definition(
    trials: Int = 30, algorithm: AlgorithmSettings = .moead()
  ) throws -> StudyDefinition {
    var space = try NetworkSpace.named("digits")
    space.constraints.maximumLatency = 1  // stems of 8 channels
    return try StudyDefinition(
      networks: space, targets: Sample.targets, algorithm: algorithm, seed: 5,
      evaluation: .command(line: "false"), limits: StudyLimits(trials: trials))
  }

  /// What the library asks for by itself, with the same measure.
  private func expected(_ definition: StudyDefinition, _ count: Int) throws -> [Genome] {
    guard case .networks(let space, let quantities) = definition.space else { return [] }
    let domain = NetworkDomain(space, quantities: quantities) { StemLatency.milliseconds($0) }
    var algorithm = try definition.algorithm.make(
      SearchProblem(domain: domain, objectives: definition.objectives), goal: definition.goal,
      seed: definition.seed)
    return try (0..<count).map { _ in
      let asked = algorithm.ask()
      let candidate = try #require(asked)
      let trial = Trial(candidate, created: Date())
      let objectives = try Sample.objectives(trial, definition)
      try algorithm.tell([Evaluation(id: candidate.id, objectives: objectives)])
      return candidate.genome
    }
  }

  @Test(
    "Other workers' heart-beats pass while a network is measured", arguments: StoreKind.available)
  func heartBeats(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let store = try StudyStorage.open(url, for: .create)
    // Another process's handle, which does not wait for locks.
    let other =
      switch url.kind {
      case .sqlite(let path):
        StudyCoordinator(try SQLiteStore(path: path, access: .create, busyTimeout: 0.01))
      case .postgres: StudyCoordinator(try StudyStorage.open(url, for: .create))
      case .memory: StudyCoordinator(store)
      }
    let beats = Mutex<(lease: TrialLease?, count: Int)>((nil, 0))
    let coordinator = StudyCoordinator(
      store,
      latency: Measure {
        guard let lease = beats.withLock({ $0.lease }) else { return }
        // Would throw, or wait for ever, if the measuring worker held a lock.
        try other.renew(lease)
        beats.withLock { $0.count += 1 }
      })
    let study = try coordinator.create("a", try Self.definition())
    let first = try coordinator.take(study, Sample.worker(1))
    beats.withLock { $0.lease = first }
    for number in 2..<6 { _ = try coordinator.take(study, Sample.worker(Int32(number))) }
    #expect(beats.withLock { $0.count } >= 4)
    try #expect(coordinator.trials(study).allSatisfy { $0.state == .running })
  }

  @Test(
    "The same seed gives the same networks as without a storage, whoever asks",
    arguments: [AlgorithmSettings.moead(), .guided(), .random])
  func deterministic(settings: AlgorithmSettings) throws {
    let definition = try Self.definition(algorithm: settings)
    let folder = try TemporaryFolder()
    let url = try StoreKind.sqlite.url(in: folder)
    func open() throws -> StudyCoordinator {
      StudyCoordinator(try StudyStorage.open(url, for: .create), latency: StemLatency())
    }
    var coordinator = try open()
    let study = try coordinator.create("a", definition)
    var genomes: [Genome] = []
    for number in 0..<30 {
      // Some by another process, which has to follow the steps, refusals among them.
      if number % 5 == 0 { coordinator = try open() }
      let lease = try coordinator.take(study, Sample.worker(Int32(number)))
      genomes.append(lease.trial.genome)
      try coordinator.finish(
        lease, .complete(objectives: Sample.objectives(lease.trial, definition)))
    }
    try #expect(genomes == expected(definition, 30))
  }

  @Test("A worker that ends between measuring and taking loses nothing")
  func interrupted() throws {
    let definition = try Self.definition(algorithm: .random)
    let store = MemoryStore()
    let hasStopped = Mutex(false)
    let measured = Mutex(0)
    let stopping = StudyCoordinator(store, latency: Measure { measured.withLock { $0 += 1 } })
    let study = try stopping.create("a", definition)
    let before = try store.read { try $0.algorithmRevision(of: study.id) }
    // As if the process ended after the first transaction: nothing is measured, nothing taken.
    let answer = try stopping.next(of: study, for: Sample.worker(1)) {
      hasStopped.withLock { $0 = true }
      return true
    }
    #expect(answer == .wait)
    #expect(hasStopped.withLock { $0 })
    try store.read { transaction in
      try #expect(transaction.algorithmRevision(of: study.id) == before)
      try #expect(transaction.counts(of: study.id).isEmpty)
    }
    let next = StudyCoordinator(store, latency: StemLatency())
    try #expect(next.workThrough(study, Sample.worker(2)) == expected(definition, 30))
  }

  @Test("What a worker has measured is not lost when others went on meanwhile")
  func overtaken() throws {
    let definition = try Self.definition(trials: 12, algorithm: .moead())
    let folder = try TemporaryFolder()
    let url = try StoreKind.sqlite.url(in: folder)
    let quick = StudyCoordinator(
      try StudyStorage.open(url, for: .create), latency: StemLatency())
    let study = try quick.create("a", definition)
    let overtaking = Atomic(0)
    let slow = StudyCoordinator(
      try StudyStorage.open(url, for: .write),
      latency: Measure {
        // During each measurement another worker takes a network and finishes it.
        let number = overtaking.wrappingAdd(1, ordering: .relaxed).newValue
        guard number <= 5 else { return }
        let lease = try quick.take(study, Sample.worker(Int32(number)))
        try quick.finish(
          lease, .complete(objectives: Sample.objectives(lease.trial, definition)))
      })
    _ = try slow.take(study, Sample.worker(100))
    try quick.workThrough(study, Sample.worker(101))
    let trials = try quick.trials(study)
    #expect(trials.count == 12)
    #expect(Set(trials.map(\.key)).count == 12)
    let domain = try #require(definition.networkDomain)
    for trial in trials {
      #expect(StemLatency.milliseconds(try domain.architecture(trial.genome)) <= 1)
    }
    // A process that has seen nothing of it comes to the same algorithm.
    let late = StudyCoordinator(try StudyStorage.open(url, for: .write), latency: StemLatency())
    try late.setLimits(StudyLimits(trials: 13), of: study)
    try #expect(late.take(study, Sample.worker(102)).trial.number == 12)
  }
}
