// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

/// What a store may do wrong.
enum Fault: String, CaseIterable, Sendable {
  case forgetsAttributes, roundsNumbers, acceptsTwins, acceptsGaps, ignoresMissing, ignoresLimits
  case shufflesFinished, tellsTwice, shufflesReports, keepsUndone, countsInMilliseconds
  case losesUpdates, writesAsReader, forgetsMaster

  /// A part of the sentence that it breaks.
  var sentence: String {
    switch self {
    case .forgetsAttributes, .forgetsMaster: "a changed study comes back changed"
    case .roundsNumbers: "also all of its numbers"
    case .acceptsTwins: "a network cannot be in a study twice"
    case .acceptsGaps: "steps follow the state one by one"
    case .ignoresMissing: "changing what is not there is an error"
    case .ignoresLimits, .shufflesFinished, .tellsTwice: "trials are found by state"
    case .shufflesReports: "reports keep their order"
    case .keepsUndone: "an error undoes the whole transaction"
    case .countsInMilliseconds: "the clock goes on"
    case .losesUpdates: "transactions on one study come one after the other"
    case .writesAsReader: "what one handle wrote another one reads"
    }
  }
}

/// A handle on a store in memory that does one thing wrong, or nothing.
final class FaultyStore: StudyStore {
  private let inner: MemoryStore
  private let access: StorageAccess
  private let fault: Fault?

  init(_ inner: MemoryStore, access: StorageAccess, fault: Fault?) {
    self.inner = inner
    self.access = access
    self.fault = fault
  }

  var url: StorageURL { inner.url }

  func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    if access == .read, fault != .writesAsReader {
      throw StudyError.database(url: "\(url)", reason: "opened for reading")
    }
    if fault == .keepsUndone {
      let outcome = try inner.write { transaction in Swift.Result { try body(transaction) } }
      return try outcome.get()
    }
    let early = try fault == .losesUpdates ? earlyRevisions() : nil
    return try inner.write { try body(FaultyTransaction($0, fault, early)) }
  }

  func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    try inner.read { try body(FaultyTransaction($0, fault, nil)) }
  }

  /// What the revisions were before the transaction began, and a moment for others to write.
  private func earlyRevisions() throws -> [Int: Int] {
    let found = try inner.read { transaction in
      try transaction.studyEntries().map { ($0.id, try transaction.algorithmRevision(of: $0.id)) }
    }
    Thread.sleep(forTimeInterval: 0.002)
    return Dictionary(uniqueKeysWithValues: found)
  }
}

private final class FaultyTransaction: StudyTransaction {
  private let inner: any StudyTransaction
  private let fault: Fault?
  private let early: [Int: Int]?

  init(_ inner: any StudyTransaction, _ fault: Fault?, _ early: [Int: Int]?) {
    self.inner = inner
    self.fault = fault
    self.early = early
  }

  /// Passes over an error of a store that has a fault.
  private func lenient(_ own: Fault, _ body: () throws -> Void) throws {
    do { try body() } catch { if fault != own { throw error } }
  }

  private func rounded(_ trial: Trial) -> Trial {
    guard fault == .roundsNumbers else { return trial }
    var copy = trial
    copy.objectives = trial.objectives?.map { Double(Float($0)) }
    return copy
  }

  func now() throws -> Date {
    let now = try inner.now()
    return fault == .countsInMilliseconds
      ? Date(timeIntervalSince1970: now.timeIntervalSince1970 * 1000) : now
  }

  func studies() throws -> [Study] { try inner.studies() }
  func studyEntries() throws -> [StudyEntry] { try inner.studyEntries() }
  func study(named name: String) throws -> Study? { try inner.study(named: name) }
  func lock(_ study: Int) throws -> Study? { try inner.lock(study) }
  func insert(_ study: Study) throws -> Int { try inner.insert(study) }

  func update(_ study: Study) throws {
    var copy = study
    if fault == .forgetsAttributes { copy.attributes = [:] }
    if fault == .forgetsMaster { copy.master = nil }
    try lenient(.ignoresMissing) { try inner.update(copy) }
  }

  func delete(_ study: Int) throws { try inner.delete(study) }

  func algorithm(of study: Int) throws -> AlgorithmRecord? { try inner.algorithm(of: study) }

  func algorithmStateRevision(of study: Int) throws -> Int {
    try inner.algorithmStateRevision(of: study)
  }

  func algorithmRevision(of study: Int) throws -> Int {
    try early?[study] ?? inner.algorithmRevision(of: study)
  }

  func save(_ record: AlgorithmRecord, of study: Int) throws {
    try inner.save(record, of: study)
  }

  func append(_ step: AlgorithmStep, of study: Int) throws {
    try lenient(.acceptsGaps) { try inner.append(step, of: study) }
  }

  func algorithmSteps(of study: Int, after revision: Int) throws -> [AlgorithmStep] {
    try inner.algorithmSteps(of: study, after: revision)
  }

  func trials(of study: Int, in states: [TrialState], limit: Int?) throws -> [Trial] {
    try inner.trials(of: study, in: states, limit: fault == .ignoresLimits ? nil : limit)
  }

  func trial(_ number: Int, of study: Int) throws -> Trial? {
    try inner.trial(number, of: study)
  }

  func finishedTrials(of study: Int, from order: Int) throws -> [Trial] {
    let trials = try inner.finishedTrials(of: study, from: order)
    return fault == .shufflesFinished ? trials.sorted { $0.number < $1.number } : trials
  }

  func untoldTrials(of study: Int) throws -> [Trial] {
    try fault == .tellsTwice
      ? inner.finishedTrials(of: study, from: 0) : inner.untoldTrials(of: study)
  }

  func counts(of study: Int) throws -> [TrialState: Int] { try inner.counts(of: study) }

  func totals(of study: Int) throws -> (trials: Int, finished: Int) {
    try inner.totals(of: study)
  }

  func insert(_ trial: Trial, into study: Int) throws {
    try lenient(.acceptsTwins) { try inner.insert(rounded(trial), into: study) }
  }

  func update(_ trial: Trial, of study: Int) throws {
    try inner.update(rounded(trial), of: study)
  }

  func reports(of study: Int, resource: Int?, trial: Int?) throws -> [TrialReport] {
    let reports = try inner.reports(of: study, resource: resource, trial: trial)
    return fault == .shufflesReports ? reports.sorted { $0.trial < $1.trial } : reports
  }

  func insert(_ report: TrialReport, into study: Int) throws {
    try inner.insert(report, into: study)
  }
}
