// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXTestSupport
import Testing

/// What every store has to do, said once.
@Suite("Stores keep studies")
struct StoreContractTests {
  @Test(
    "PostgreSQL is among the tested stores",
    .enabled(
      if: PostgresServer.isAvailable, "PostgreSQL is not installed, or this build has no libpq")
  )
  func postgresIsTested() throws {
    #expect(StoreKind.available.contains(.postgres))
    try #expect(PostgresServer.shared.get().port > 0)
  }

  private func open(_ kind: StoreKind, _ folder: TemporaryFolder) throws -> any StudyStore {
    try StudyStorage.open(kind.url(in: folder), for: .create)
  }

  @Test("A study comes back as it was put in", arguments: StoreKind.available)
  func studyRoundTrip(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let definition = try Sample.definition()
    let name = "Größe “1” 'x' \\ % 🦊"
    let id = try store.write { transaction in
      try transaction.insert(
        Study(
          name: name, created: Date(timeIntervalSince1970: 1.5), definition: definition,
          attributes: ["who": "O'Neill; DROP TABLE muxnet_studies"]))
    }
    let study = try #require(try store.read { try $0.study(named: name) })
    #expect(study.id == id)
    #expect(study.definition == definition)
    #expect(study.created == Date(timeIntervalSince1970: 1.5))
    #expect(study.attributes == ["who": "O'Neill; DROP TABLE muxnet_studies"])
    #expect(study.master == nil)
    try #expect(store.read { try $0.study(named: "other") } == nil)
    try #expect(store.write { try $0.lock(id) } == study)
    try #expect(store.write { try $0.lock(id + 1) } == nil)
  }

  @Test("Two studies cannot have one name", arguments: StoreKind.available)
  func uniqueNames(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let study = Study(name: "a", created: Date(), definition: try Sample.definition())
    _ = try store.write { try $0.insert(study) }
    #expect(throws: StudyError.studyExists(name: "a")) {
      try store.write { try $0.insert(study) }
    }
    try #expect(store.read { try $0.studies() }.count == 1)
  }

  private func trial(_ number: Int) -> Trial {
    var trial = Trial(
      Candidate(
        id: number, genome: Genome([number % 2] + [Int](repeating: 0, count: 17)),
        key: ArchitectureKey(high: UInt64.max - 1, low: UInt64(number)), subproblem: nil),
      created: Date(timeIntervalSince1970: 1_700_000_000.123))
    trial.attributes = ["note": "line\nbreak"]
    return trial
  }

  @Test(
    "A trial comes back as it was put in, also all of its numbers", arguments: StoreKind.available)
  func trialRoundTrip(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    var one = trial(0)
    try store.write { try $0.insert(one, into: id) }
    try #expect(store.read { try $0.trial(0, of: id) } == one)
    one.state = .complete
    one.subproblem = 1
    one.objectives = [0.1 + 0.2, 1e-300, 123_456_789_012_345]
    one.violation = 1.0 / 3
    one.attempt = 2
    one.worker = "host:1:abc"
    one.leaseEnd = Date(timeIntervalSince1970: 1_700_000_001.25)
    one.started = Date(timeIntervalSince1970: 1_700_000_002.5)
    one.finished = Date(timeIntervalSince1970: 1_700_000_003.75)
    one.finishOrder = 0
    one.isTold = true
    one.reason = "because"
    try store.write { try $0.update(one, of: id) }
    try #expect(store.read { try $0.trial(0, of: id) } == one)
    try #expect(store.read { try $0.trial(1, of: id) } == nil)
  }

  @Test(
    "Trials are found by state, by order of finishing and by being told",
    arguments: StoreKind.available)
  func queries(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write { transaction -> Int in
      let id = try transaction.insert(
        Study(name: "a", created: Date(), definition: try Sample.definition()))
      for number in 0..<6 {
        var one = trial(number)
        if number % 2 == 0 {
          one.state = number == 0 ? .failed : .complete
          one.objectives = number == 0 ? nil : [1, 2, 3]
          one.finishOrder = [4: 0, 0: 1, 2: 2][number]
          one.isTold = number == 4
        }
        try transaction.insert(one, into: id)
      }
      return id
    }
    try store.read { transaction in
      func numbers(_ trials: [Trial]) -> [Int] { trials.map(\.number) }
      #expect(numbers(try transaction.trials(of: id, in: [], limit: nil)) == [0, 1, 2, 3, 4, 5])
      #expect(numbers(try transaction.trials(of: id, in: [.waiting], limit: 2)) == [1, 3])
      #expect(
        numbers(try transaction.trials(of: id, in: [.complete, .failed], limit: nil)) == [0, 2, 4])
      #expect(numbers(try transaction.finishedTrials(of: id, from: 0)) == [4, 0, 2])
      #expect(numbers(try transaction.finishedTrials(of: id, from: 2)) == [2])
      #expect(numbers(try transaction.untoldTrials(of: id)) == [0, 2])
      try #expect(transaction.counts(of: id) == [.waiting: 3, .complete: 2, .failed: 1])
      try #expect(transaction.counts(of: id + 1) == [:])
      try #expect(transaction.totals(of: id) == (6, 3))
      try #expect(transaction.totals(of: id + 1) == (0, 0))
    }
  }

  @Test("A network cannot be in a study twice", arguments: StoreKind.available)
  func uniqueNetworks(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    try store.write { try $0.insert(trial(0), into: id) }
    var twin = trial(1)
    twin.key = trial(0).key
    #expect(throws: StudyError.self) { try store.write { try $0.insert(twin, into: id) } }
    try #expect(store.read { try $0.counts(of: id) } == [.waiting: 1])
  }

  @Test("An error undoes the whole transaction", arguments: StoreKind.available)
  func rollback(kind: StoreKind) throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let study = Study(name: "a", created: Date(), definition: try Sample.definition())
    let id = try store.write { try $0.insert(study) }
    #expect(throws: Stop.self) {
      try store.write { transaction in
        try transaction.insert(trial(0), into: id)
        try transaction.save(AlgorithmRecord(revision: 9, state: Data("{}".utf8)), of: id)
        var renamed = study
        renamed.name = "b"
        _ = try transaction.insert(renamed)
        throw Stop()
      }
    }
    try store.read { transaction in
      try #expect(transaction.counts(of: id).isEmpty)
      try #expect(transaction.algorithm(of: id) == nil)
      try #expect(transaction.studies().map(\.name) == ["a"])
    }
    try #expect(store.write { try $0.counts(of: id) }.isEmpty)
  }

  @Test("The algorithm's state is kept with its revision", arguments: StoreKind.available)
  func algorithmState(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    try #expect(store.read { try $0.algorithmRevision(of: id) } == 0)
    let record = AlgorithmRecord(revision: 7, state: Data(#"{"a":["é",1e308]}"#.utf8))
    try store.write { try $0.save(record, of: id) }
    try #expect(store.read { try $0.algorithm(of: id) } == record)
    try #expect(store.read { try $0.algorithmRevision(of: id) } == 7)
  }

  @Test(
    "Steps follow the whole state one by one; a later state takes their place",
    arguments: StoreKind.available)
  func algorithmSteps(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    func step(_ revision: Int) -> AlgorithmStep {
      let key = ArchitectureKey(high: .max, low: .max - UInt64(revision))
      return AlgorithmStep(
        revision: revision,
        told: [.init(id: 1, objectives: [0.1, 1e300, 3], violation: 0.2), .failed(id: 2)],
        reopened: [Candidate(id: 2, genome: Genome([1, 2]), key: key, subproblem: nil)],
        ask: .init(number: revision, refused: [key]))
    }
    func state(_ revision: Int) -> AlgorithmRecord {
      AlgorithmRecord(revision: revision, state: Data("{\"at\":\(revision)}".utf8))
    }
    try store.write { transaction in
      try transaction.save(state(1), of: id)
      for revision in 2...5 { try transaction.append(step(revision), of: id) }
    }
    try store.read { transaction in
      try #expect(transaction.algorithm(of: id) == state(1))
      try #expect(transaction.algorithmStateRevision(of: id) == 1)
      try #expect(transaction.algorithmRevision(of: id) == 5)
      try #expect(transaction.algorithmSteps(of: id, after: 1) == (2...5).map(step))
      try #expect(transaction.algorithmSteps(of: id, after: 3) == [step(4), step(5)])
    }
    for revision in [3, 5, 7] {
      #expect(throws: StudyError.self, "\(revision)") {
        try store.write { try $0.append(step(revision), of: id) }
      }
    }
    try store.write { try $0.save(state(4), of: id) }
    try store.write { try $0.save(state(2), of: id) }
    try store.read { transaction in
      try #expect(transaction.algorithm(of: id) == state(4), "an older state is passed over")
      try #expect(transaction.algorithmRevision(of: id) == 5)
      try #expect(transaction.algorithmSteps(of: id, after: 0) == [step(5)])
    }
    try store.write { try $0.delete(id) }
    try #expect(store.read { try $0.algorithmSteps(of: id, after: 0) }.isEmpty)
  }

  @Test(
    "Changing what is not there is an error; deleting it is none", arguments: StoreKind.available)
  func missingRows(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let study = Study(id: 77, name: "gone", created: Date(), definition: try Sample.definition())
    let id = try store.write {
      var other = study
      other.name = "here"
      return try $0.insert(other)
    }
    let record = AlgorithmRecord(revision: 1, state: Data("{}".utf8))
    let changes: [(any StudyTransaction) throws -> Void] = [
      { try $0.update(study) }, { try $0.save(record, of: 77) },
      { try $0.append(AlgorithmStep(revision: 1, told: []), of: 77) },
      { try $0.update(trial(0), of: 77) }, { try $0.update(trial(0), of: id) },
    ]
    for (place, change) in changes.enumerated() {
      let error = try #require(throws: StudyError.self, "\(place)") { try store.write(change) }
      guard case .missing = error else {
        Issue.record("change \(place): \(error)")
        continue
      }
      #expect("\(error)".contains("is not there; it may have been deleted meanwhile"))
    }
    #expect(throws: StudyError.self) { try store.write { try $0.insert(trial(0), into: 77) } }
    #expect(throws: StudyError.self) {
      try store.write {
        try $0.insert(TrialReport(trial: 0, resource: 1, objectives: [1]), into: 77)
      }
    }
    try store.write { try $0.delete(77) }
    try #expect(store.read { try $0.studies() }.map(\.name) == ["here"])
  }

  @Test("Reports keep their order, one for each trial and resource", arguments: StoreKind.available)
  func reports(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let id = try store.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    let given = [
      TrialReport(trial: 2, resource: 1, objectives: [3, 4]),
      TrialReport(trial: 0, resource: 1, objectives: [1, 2]),
      TrialReport(trial: 2, resource: 3, objectives: [2.5, 4]),
    ]
    try store.write { transaction in
      for report in given { try transaction.insert(report, into: id) }
      try transaction.insert(TrialReport(trial: 2, resource: 1, objectives: [9, 9]), into: id)
    }
    try store.read { transaction in
      try #expect(transaction.reports(of: id, resource: nil, trial: nil) == given)
      try #expect(transaction.reports(of: id, resource: 1, trial: nil) == [given[0], given[1]])
      try #expect(transaction.reports(of: id, resource: nil, trial: 2) == [given[0], given[2]])
      try #expect(transaction.reports(of: id, resource: 1, trial: 0) == [given[1]])
    }
  }

  @Test(
    "Deleting takes everything of one study, and its number is not used again",
    arguments: StoreKind.available)
  func deletion(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try open(kind, folder)
    let definition = try Sample.definition()
    let ids = try store.write { transaction in
      try ["a", "b"].map {
        try transaction.insert(Study(name: $0, created: Date(), definition: definition))
      }
    }
    try store.write { transaction in
      for id in ids {
        try transaction.insert(trial(0), into: id)
        try transaction.insert(TrialReport(trial: 0, resource: 1, objectives: [1]), into: id)
      }
      try transaction.delete(ids[1])
    }
    try store.read { transaction in
      try #expect(transaction.studies().map(\.name) == ["a"])
      try #expect(transaction.counts(of: ids[1]).isEmpty)
      try #expect(transaction.reports(of: ids[1], resource: nil, trial: nil).isEmpty)
      try #expect(transaction.counts(of: ids[0]) == [.waiting: 1])
    }
    let next = try store.write {
      try $0.insert(Study(name: "b", created: Date(), definition: definition))
    }
    #expect(next > ids[1])
  }

  @Test("What one handle wrote another one reads", arguments: StoreKind.shared)
  func twoHandles(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let first = try StudyStorage.open(url, for: .create)
    let id = try first.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    let second = try StudyStorage.open(url, for: .write)
    try second.write { try $0.insert(trial(0), into: id) }
    try #expect(first.read { try $0.counts(of: id) } == [.waiting: 1])
    let reader = try StudyStorage.open(url, for: .read)
    try #expect(reader.read { try $0.studies() }.count == 1)
    #expect(throws: StudyError.self) { try reader.write { try $0.delete(id) } }
    try #expect(first.read { try $0.studies() }.count == 1)
  }

  @Test("Transactions on one study come one after the other", arguments: StoreKind.available)
  func serialTransactions(kind: StoreKind) async throws {
    let folder = try TemporaryFolder()
    let url = try kind.url(in: folder)
    let first = try StudyStorage.open(url, for: .create)
    let id = try first.write {
      try $0.insert(Study(name: "a", created: Date(), definition: try Sample.definition()))
    }
    // A lost update would leave fewer than 200 steps.
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let store = kind == .memory ? first : try StudyStorage.open(url, for: .write)
          for _ in 0..<50 {
            try store.write { transaction in
              _ = try transaction.lock(id)
              let revision = try transaction.algorithmRevision(of: id)
              try transaction.save(
                AlgorithmRecord(revision: revision + 1, state: Data("{}".utf8)), of: id)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    try #expect(first.read { try $0.algorithmRevision(of: id) } == 200)
  }
}
