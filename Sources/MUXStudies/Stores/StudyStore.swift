// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Where studies are kept. Stores only keep; what may happen to trials is ``StudyCoordinator``'s.
///
/// A transaction is all or nothing, also for a process that is killed in it, and transactions that
/// write to one study come one after the other. Nothing slow belongs into one: others wait.
public protocol StudyStore: Sendable {
  /// Where the studies are, as `--storage` takes it; its text has no secrets.
  var url: StorageURL { get }

  /// Runs a transaction that may write. An error undoes all of it.
  ///
  /// - Throws: ``StudyError``, or what `body` throws.
  func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result

  /// Runs a transaction that only reads, on a state of one moment.
  ///
  /// - Throws: ``StudyError``, or what `body` throws.
  func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result
}

/// What can be done in a transaction.
///
/// Changing a study, or what belongs to one, that is not there throws ``StudyError/missing(url:what:)``;
/// only removing a study that is gone already is no error, so that it may be repeated.
public protocol StudyTransaction: AnyObject {
  /// The storage's clock, by which leases are counted, so that machines need not agree on the time.
  func now() throws -> Date

  /// All studies, the oldest first.
  func studies() throws -> [Study]

  /// The numbers and names of all studies, the oldest first, also of those that cannot be read.
  func studyEntries() throws -> [StudyEntry]

  /// The study of that name; nil if there is none.
  func study(named name: String) throws -> Study?

  /// The study, which nobody else can change before the transaction ends; nil if it is gone.
  func lock(_ study: Int) throws -> Study?

  /// Adds a study and gives its number.
  ///
  /// - Throws: ``StudyError/studyExists(name:)``.
  func insert(_ study: Study) throws -> Int

  /// Replaces what is kept of a study.
  ///
  /// - Throws: ``StudyError/missing(url:what:)``.
  func update(_ study: Study) throws

  /// Removes a study with all that belongs to it; nothing happens if it is gone.
  func delete(_ study: Int) throws

  /// The last state of the study's algorithm that was saved whole.
  func algorithm(of study: Int) throws -> AlgorithmRecord?

  /// The revision of the whole state, 0 if there is none.
  func algorithmStateRevision(of study: Int) throws -> Int

  /// The revision of the last step, or of the whole state if there is none after it; 0 without both.
  func algorithmRevision(of study: Int) throws -> Int

  /// Saves a whole state of the study's algorithm, which holds all steps up to its revision; these
  /// are removed. One that is older than the saved one is passed over.
  ///
  /// - Throws: ``StudyError/missing(url:what:)``.
  func save(_ record: AlgorithmRecord, of study: Int) throws

  /// Adds a step of the study's algorithm, whose revision follows the last one.
  ///
  /// - Throws: ``StudyError/missing(url:what:)``, or an error for a revision that is there already.
  func append(_ step: AlgorithmStep, of study: Int) throws

  /// The steps after a revision that are still there, in order.
  func algorithmSteps(of study: Int, after revision: Int) throws -> [AlgorithmStep]

  /// Trials by number; of all states if `states` is empty, at most `limit` if that is given.
  func trials(of study: Int, in states: [TrialState], limit: Int?) throws -> [Trial]

  /// What is needed of the running trials to see whether their workers are there, by number. There is a
  /// default, which reads the trials whole.
  func runningTrials(of study: Int) throws -> [RunningTrial]

  /// The trial of that number; nil if there is none.
  func trial(_ number: Int, of study: Int) throws -> Trial?

  /// Finished trials from a place in the order of finishing on.
  func finishedTrials(of study: Int, from order: Int) throws -> [Trial]

  /// Finished trials of which the algorithm does not know, in the order of finishing.
  func untoldTrials(of study: Int) throws -> [Trial]

  /// How many trials are in each state. This looks at all of them.
  func counts(of study: Int) throws -> [TrialState: Int]

  /// How many trials that are not through are in each state. There is a default, which looks at all trials.
  func openCounts(of study: Int) throws -> [TrialState: Int]

  /// How many trials there are, and how many of them are through. This takes as long for any number:
  /// the numbers of trials, and the places of those that are through, have no gaps.
  func totals(of study: Int) throws -> (trials: Int, finished: Int)

  /// Adds a trial.
  ///
  /// - Throws: ``StudyError`` if there is no such study, or its number or network is there already.
  func insert(_ trial: Trial, into study: Int) throws

  /// Replaces what is kept of a trial.
  ///
  /// - Throws: ``StudyError/missing(url:what:)``.
  func update(_ trial: Trial, of study: Int) throws

  /// The reports of a study in the order in which they came, of one resource or of one trial if
  /// those are given.
  func reports(of study: Int, resource: Int?, trial: Int?) throws -> [TrialReport]

  /// Adds a report; one for the same trial and resource is kept as it is.
  ///
  /// - Throws: ``StudyError`` if there is no such study.
  func insert(_ report: TrialReport, into study: Int) throws
}

extension StudyTransaction {
  /// The running trials by number, from the trials as a whole.
  public func runningTrials(of study: Int) throws -> [RunningTrial] {
    try trials(of: study, in: [.running], limit: nil).map(RunningTrial.init)
  }

  /// The counts of states that are not final, from those of all.
  public func openCounts(of study: Int) throws -> [TrialState: Int] {
    try counts(of: study).filter { !$0.key.isFinished }
  }
}

/// What a command wants with a storage.
public enum StorageAccess: Sendable, Hashable {
  /// To write; a storage that is not there is made by the first transaction that writes.
  case create
  /// To write to a storage that is there.
  case write
  /// To read only.
  case read
}

/// Opens storages by address.
public enum StudyStorage {
  /// Opens a storage, and brings it up to date where it may be written.
  ///
  /// - Parameters:
  ///   - url: The address.
  ///   - access: Whether it may be made and written.
  ///   - timeout: Seconds to wait for a server that does not answer.
  /// - Throws: ``StudyError``.
  public static func open(
    _ url: StorageURL, for access: StorageAccess, timeout: Int = 10
  ) throws -> any StudyStore {
    switch url.kind {
    case .memory: return MemoryStore()
    case .sqlite(let path):
      // Where none can be made, that is said now.
      guard access == .create, SQLiteFile.canBeMade(path) else {
        return try SQLiteStore(path: path, access: access)
      }
      let place = NewSQLiteFile(path)
      return UnmadeStore(url) {
        try SQLiteStore(path: path, access: .create, makesTablesLater: true)
      } unmake: {
        place.remove()
      }
    case .postgres(let address):
      @Sendable func connect(_ access: StorageAccess) throws -> PostgresStore {
        try PostgresStore(address: address, access: access, timeout: timeout)
      }
      guard access == .create else { return try connect(access) }
      do { return try connect(.write) } catch StudyError.noStorage {
        return UnmadeStore(url) { try connect(.create) }
      }
    }
  }
}
