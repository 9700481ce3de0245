// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite("Algorithms are kept as a state and steps")
struct AlgorithmStepTests {
  /// A search in which evaluations fail and are tried again, each trial by `open`'s coordinator.
  private func search(
    _ definition: StudyDefinition, _ url: StorageURL, every interval: Int
  ) throws -> [Genome] {
    func open() throws -> StudyCoordinator {
      StudyCoordinator(
        try StudyStorage.open(url, for: .create), stepsBetweenStates: { _ in interval })
    }
    var coordinator = try open()
    let study = try coordinator.create("a", definition)
    for number in 0..<40 {
      if number % 3 == 0 { coordinator = try open() }
      if number == 30 { try coordinator.retry(nil, of: study) }
      guard case .trial(let lease) = try coordinator.next(of: study, for: Sample.worker(1)) else {
        break
      }
      let values = try Sample.objectives(lease.trial, definition)
      try coordinator.finish(
        lease,
        number % 7 == 5 ? .failed(reason: "no luck") : .complete(objectives: values))
    }
    return try coordinator.trials(study).map(\.genome)
  }

  @Test(
    "However often the whole state is saved, the search is the same",
    arguments: AlgorithmSettings.named.map(\.settings))
  func anyInterval(settings: AlgorithmSettings) throws {
    let folder = try TemporaryFolder()
    let definition = try Sample.definition(trials: 34, algorithm: settings, seed: 9)
    let results = try [1, 5, 1_000].map { interval in
      try search(definition, StorageURL(folder("\(interval).db")), every: interval)
    }
    #expect(results[0].count == 34)
    #expect(results[1] == results[0])
    #expect(results[2] == results[0])
  }

  @Test(
    "Processes in turns come to one search, however far one is behind; each network is asked for once",
    arguments: AlgorithmSettings.named.map(\.settings))
  func turns(settings: AlgorithmSettings) throws {
    let store = MemoryStore()
    let all = (0..<3).map { _ in StudyCoordinator(store, stepsBetweenStates: { _ in 24 }) }
    let study = try all[0].create("a", Sample.definition(trials: 120, algorithm: settings))
    for number in 0..<120 {
      // The third comes seldom, and has to follow many steps, or a state that took their place.
      let place = number % 40 == 39 ? 2 : (number / 5) % 2
      let lease = try all[place].take(study, Sample.worker(Int32(place)))
      try all[place].finish(
        lease, .complete(objectives: Sample.objectives(lease.trial, study.definition)))
    }
    let trials = try all[1].trials(study)
    #expect(trials.count == 120 && Set(trials.map(\.key)).count == 120)
    // Whoever begins now goes through what all of them did.
    let fresh = StudyCoordinator(store)
    try fresh.setLimits(StudyLimits(trials: 121), of: study)
    _ = try fresh.take(study, Sample.worker(9))
    try store.read { transaction in
      let saved = try transaction.algorithmStateRevision(of: study.id)
      #expect(saved > 60)
    }
  }

  @Test("States are saved only now and then, and take the place of the steps before them")
  func statesNowAndThen() throws {
    let store = MemoryStore()
    let coordinator = StudyCoordinator(store, stepsBetweenStates: { _ in 10 })
    let study = try coordinator.create("a", try Sample.definition(trials: 25))
    try coordinator.workThrough(study, Sample.worker(1))
    try store.read { transaction in
      let saved = try transaction.algorithmStateRevision(of: study.id)
      let last = try transaction.algorithmRevision(of: study.id)
      #expect(saved == 21)
      #expect(last == 26)
      try #expect(
        transaction.algorithmSteps(of: study.id, after: 0).map(\.revision) == [22, 23, 24, 25, 26])
    }
  }

  @Test("A step that does not follow is damage, and says so")
  func damagedSteps() throws {
    let folder = try TemporaryFolder()
    let path = folder("a.db")
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .create))
    let study = try coordinator.create("a", try Sample.definition(trials: 20))
    for number in 1..<6 { _ = try coordinator.take(study, Sample.worker(Int32(number))) }
    let damages = [
      (
        "UPDATE muxnet_steps SET step = '{\"told\":[],\"revision\":3,\"ask\":{\"number\":9}}' WHERE revision = 3",
        "does not follow from the ones before"
      ),
      (
        "UPDATE muxnet_steps SET step = '{' WHERE revision = 3",
        "not one that this muxnet understands"
      ),
      ("DELETE FROM muxnet_steps WHERE revision = 3", "does not follow from the ones before"),
      ("DELETE FROM muxnet_steps", "are missing after 1"),
    ]
    for (statement, reason) in damages {
      try DatabaseQueue(path: path).write { try $0.execute(sql: statement) }
      let error = try #require(throws: StudyError.self) {
        try StudyCoordinator(try SQLiteStore(path: path, access: .write))
          .next(of: study, for: Sample.worker(9))
      }
      #expect("\(error)".contains(reason), "\(error)")
      #expect(error.isDamage)
    }
  }

  @Test("A storage of version 2 is read as it is, and goes on with the same networks")
  func versionTwo() throws {
    let folder = try TemporaryFolder()
    let definition = try Sample.definition(trials: 30, algorithm: .guided(), seed: 4)
    let whole = StudyCoordinator(try SQLiteStore(path: folder("whole.db"), access: .create))
    let expected = try whole.workThrough(try whole.create("a", definition), Sample.worker(1))
    let path = folder("old.db")
    var genomes: [Genome] = []
    do {
      // Version 2 saved the whole state at every ask.
      let coordinator = StudyCoordinator(
        try SQLiteStore(path: path, access: .create), stepsBetweenStates: { _ in 0 })
      let study = try coordinator.create("a", definition)
      for _ in 0..<17 {
        let lease = try coordinator.take(study, Sample.worker(1))
        genomes.append(lease.trial.genome)
        try coordinator.finish(
          lease, .complete(objectives: Sample.objectives(lease.trial, definition)))
      }
      try coordinator.saveState(of: study)
    }
    try DatabaseQueue(path: path).write { database in
      for statement in OldStorage.statements(to: 2) { try database.execute(sql: statement) }
    }
    let reader = try SQLiteStore(path: path, access: .read)
    let study = try StudyCoordinator(reader).study(named: "a")
    try #expect(StudyCoordinator(reader).standings(of: study).completed.count == 17)
    let coordinator = StudyCoordinator(try SQLiteStore(path: path, access: .write))
    genomes += try coordinator.workThrough(study, Sample.worker(2))
    #expect(genomes == expected)
  }
}
