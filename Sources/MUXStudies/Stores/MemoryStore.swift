// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Studies of one process, gone with it.
public final class MemoryStore: StudyStore {
  struct Contents: Sendable {
    struct Entry: Sendable {
      var study: Study
      var algorithm: AlgorithmRecord?
      var steps: [AlgorithmStep] = []
      var trials: [Trial] = []
      var reports: [TrialReport] = []
    }
    var nextID = 1
    var entries: [Int: Entry] = [:]
  }

  private let contents = Mutex(Contents())

  /// No studies yet.
  public init() {}

  /// `memory:`.
  public var url: StorageURL { StorageURL(.memory) }

  /// Runs a transaction that may write.
  public func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try contents.withLock { contents in
      let transaction = MemoryTransaction(contents)
      let result = Carried(try body(transaction))
      contents = transaction.contents
      return result
    }.value
  }

  /// Runs a transaction that only reads.
  public func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    let copy = contents.withLock { $0 }
    return try body(MemoryTransaction(copy))
  }
}

/// A transaction on a copy, which takes the original's place at the end.
private final class MemoryTransaction: StudyTransaction {
  var contents: MemoryStore.Contents

  init(_ contents: MemoryStore.Contents) { self.contents = contents }

  // By way of the number that databases keep, so that it comes back exactly.
  func now() -> Date { Date(timeIntervalSince1970: Date().timeIntervalSince1970) }

  func studies() -> [Study] {
    contents.entries.values.map(\.study).sorted { $0.id < $1.id }
  }

  func studyEntries() -> [StudyEntry] {
    studies().map { StudyEntry(id: $0.id, name: $0.name) }
  }

  func study(named name: String) -> Study? {
    contents.entries.values.first { $0.study.name == name }?.study
  }

  func lock(_ study: Int) -> Study? { contents.entries[study]?.study }

  func insert(_ study: Study) throws -> Int {
    guard self.study(named: study.name) == nil else {
      throw StudyError.studyExists(name: study.name)
    }
    var kept = study
    kept.id = contents.nextID
    contents.nextID += 1
    contents.entries[kept.id] = MemoryStore.Contents.Entry(study: kept)
    return kept.id
  }

  /// Changes the entry of a study.
  private func change<Result>(
    _ study: Int, _ body: (inout MemoryStore.Contents.Entry) throws -> Result
  ) throws -> Result {
    guard var entry = contents.entries.removeValue(forKey: study) else {
      throw StudyError.missing(url: "memory:", what: "study \(study)")
    }
    defer { contents.entries[study] = entry }
    return try body(&entry)
  }

  func update(_ study: Study) throws { try change(study.id) { $0.study = study } }

  func delete(_ study: Int) { contents.entries[study] = nil }

  func algorithm(of study: Int) -> AlgorithmRecord? { contents.entries[study]?.algorithm }

  func algorithmStateRevision(of study: Int) -> Int {
    contents.entries[study]?.algorithm?.revision ?? 0
  }

  func algorithmRevision(of study: Int) -> Int {
    contents.entries[study]?.steps.last?.revision ?? algorithmStateRevision(of: study)
  }

  func save(_ record: AlgorithmRecord, of study: Int) throws {
    try change(study) { entry in
      guard record.revision > entry.algorithm?.revision ?? 0 else { return }
      entry.algorithm = record
      entry.steps.removeAll { $0.revision <= record.revision }
    }
  }

  func append(_ step: AlgorithmStep, of study: Int) throws {
    let last = algorithmRevision(of: study)
    try change(study) { entry in
      guard step.revision == last + 1 else {
        throw StudyError.database(
          url: "memory:", reason: "step \(step.revision) does not follow \(last)")
      }
      entry.steps.append(step)
    }
  }

  func algorithmSteps(of study: Int, after revision: Int) -> [AlgorithmStep] {
    (contents.entries[study]?.steps ?? []).filter { $0.revision > revision }
  }

  func trials(of study: Int, in states: [TrialState], limit: Int?) -> [Trial] {
    let all = contents.entries[study]?.trials ?? []
    let found = states.isEmpty ? all : all.filter { states.contains($0.state) }
    return Array(found.prefix(limit ?? .max))
  }

  func trial(_ number: Int, of study: Int) -> Trial? {
    let trials = contents.entries[study]?.trials ?? []
    return trials.indices.contains(number) ? trials[number] : nil
  }

  func finishedTrials(of study: Int, from order: Int) -> [Trial] {
    finished(study) { ($0.finishOrder ?? -1) >= order }
  }

  func untoldTrials(of study: Int) -> [Trial] { finished(study) { !$0.isTold } }

  private func finished(_ study: Int, _ condition: (Trial) -> Bool) -> [Trial] {
    (contents.entries[study]?.trials ?? [])
      .filter { $0.state.isFinished && condition($0) }
      .sorted { ($0.finishOrder ?? 0) < ($1.finishOrder ?? 0) }
  }

  func counts(of study: Int) -> [TrialState: Int] {
    (contents.entries[study]?.trials ?? []).reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
  }

  func totals(of study: Int) -> (trials: Int, finished: Int) {
    let trials = contents.entries[study]?.trials ?? []
    return (trials.count, (trials.compactMap(\.finishOrder).max() ?? -1) + 1)
  }

  func insert(_ trial: Trial, into study: Int) throws {
    try change(study) { entry in
      guard trial.number == entry.trials.count,
        !entry.trials.contains(where: { $0.key == trial.key })
      else {
        throw StudyError.database(
          url: "memory:", reason: "trial \(trial.number) or its network is there already")
      }
      entry.trials.append(trial)
    }
  }

  func update(_ trial: Trial, of study: Int) throws {
    try change(study) { entry in
      guard entry.trials.indices.contains(trial.number) else {
        throw StudyError.missing(url: "memory:", what: "trial \(trial.number) of study \(study)")
      }
      entry.trials[trial.number] = trial
    }
  }

  func reports(of study: Int, resource: Int?, trial: Int?) -> [TrialReport] {
    (contents.entries[study]?.reports ?? []).filter {
      $0.resource == resource ?? $0.resource && $0.trial == trial ?? $0.trial
    }
  }

  func insert(_ report: TrialReport, into study: Int) throws {
    let known = reports(of: study, resource: report.resource, trial: report.trial)
    try change(study) { if known.isEmpty { $0.reports.append(report) } }
  }
}
