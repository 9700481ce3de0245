// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// Follows a study, reading only what is new.
public struct StudyTracker {
  /// What there is to show at a moment.
  public struct Snapshot: Sendable {
    /// What the study has found so far.
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
  private var progress: FinishedTrials
  private var history: StudyHistory?
  private var watch = Stopwatch()
  private var countAtBegin: Int?

  /// A tracker of a study.
  public init(_ coordinator: StudyCoordinator, _ study: Study) {
    self.coordinator = coordinator
    self.study = study
    progress = FinishedTrials(of: study.id)
  }

  /// Reads what is new in the storage and updates the standings.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  public mutating func look() throws -> Snapshot {
    let (id, name, known) = (study.id, study.name, progress)
    let (fresh, open, change) = try coordinator.retry {
      try coordinator.store.read { transaction in
        let open = try transaction.openCounts(of: id)
        return (
          try transaction.study(named: name), open, try known.change(in: transaction, open: open)
        )
      }
    }
    if let fresh { study = fresh }
    // Taken out, so that it is changed where it is.
    var history = change.isAnew ? nil : self.history
    self.history = nil
    var grown = try history ?? StudyHistory(study.definition)
    history = nil
    for trial in change.trials { grown.add(trial) }
    let news = progress.take(change)
    self.history = grown
    let standings = StudyStandings(
      study, grown, counts: open.merging(progress.counts) { $1 })
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
