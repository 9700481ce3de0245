// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// Follows a study, reading only what is new.
public struct StudyTracker {
  /// What there is to show at a moment.
  public struct Snapshot: Sendable {
    /// The standings.
    public var standings: StudyStandings
    /// Trials that finished since the last look.
    public var news: [Trial]
    /// Trials finished in each second since the tracker was made; nil before the first.
    public var rate: Double?
    /// Seconds until all trials are through, at this rate.
    public var secondsLeft: Double?
  }

  private let coordinator: StudyCoordinator
  private var study: Study
  private var finished: [Int: Trial] = [:]
  private var history: StudyHistory?
  private var next = 0
  private var watch = Stopwatch()
  private var countAtBegin: Int?
  private var looks = 0

  /// A tracker of a study.
  public init(_ coordinator: StudyCoordinator, _ study: Study) {
    self.coordinator = coordinator
    self.study = study
  }

  /// Reads what is new in the storage and updates the standings.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  public mutating func look() throws -> Snapshot {
    // Trials that are tried again leave the order of finishing, so now and then all are read anew.
    looks += 1
    let isFull = looks % 20 == 0
    let from = isFull ? 0 : next
    let id = study.id
    let (fresh, counts, found) = try coordinator.retry {
      try coordinator.store.read { transaction in
        (
          try transaction.study(named: study.name), try transaction.counts(of: id),
          try transaction.finishedTrials(of: id, from: from)
        )
      }
    }
    if let fresh { study = fresh }
    let news = found.filter { finished[$0.number] != $0 }
    var history = try self.history ?? StudyHistory(study.definition)
    if isFull {
      finished = [:]
      history = try StudyHistory(study.definition)
    }
    for trial in found {
      finished[trial.number] = trial
      history.add(trial)
      next = max(next, (trial.finishOrder ?? -1) + 1)
    }
    self.history = history
    let standings = StudyStandings(study, history, counts: counts)
    let count = standings.finishedCount
    let first = countAtBegin ?? count
    countAtBegin = first
    let elapsed = watch.seconds()
    let rate = count > first && elapsed > 0 ? Double(count - first) / elapsed : nil
    let rest = max(0, study.definition.limits.trials - count)
    return Snapshot(
      standings: standings, news: news, rate: rate, secondsLeft: rate.map { Double(rest) / $0 })
  }
}
