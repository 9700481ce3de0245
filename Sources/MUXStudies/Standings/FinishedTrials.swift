// SPDX-License-Identifier: Apache-2.0

/// The trials of a study that are through, kept up to date by reading only what is new.
package struct FinishedTrials: Sendable {
  /// What has come since a look.
  package struct Change: Sendable {
    /// Whether the trials are all there are, in place of others that were known before.
    package var isAnew: Bool
    /// The trials in the order of finishing.
    package var trials: [Trial]
  }

  private let study: Int
  /// The trials, in the order of finishing.
  package private(set) var trials: [Trial] = []
  package private(set) var counts: [TrialState: Int] = [:]

  /// Nothing is known yet of a study.
  package init(of study: Int) { self.study = study }

  /// Reads what is new.
  ///
  /// Trials that are tried again leave the order of finishing, and those behind them move up. So the last
  /// one that is known is read again: it is what it was only where none before it has gone. Their number is
  /// what is not open of all.
  ///
  /// - Parameters:
  ///   - transaction: A transaction.
  ///   - open: How many trials are not through.
  /// - Throws: ``StudyError``.
  package func change(
    in transaction: any StudyTransaction, open: [TrialState: Int]
  ) throws -> Change {
    guard let last = trials.last else {
      return Change(isAnew: false, trials: try transaction.finishedTrials(of: study, from: 0))
    }
    let found = try transaction.finishedTrials(of: study, from: last.finishOrder ?? 0)
    let through = try transaction.totals(of: study).trials - open.values.reduce(0, +)
    guard let first = found.first, first.isSameResult(as: last),
      trials.count + found.count - 1 == through
    else {
      return Change(isAnew: true, trials: try transaction.finishedTrials(of: study, from: 0))
    }
    return Change(isAnew: false, trials: Array(found.dropFirst()))
  }

  /// Takes in what was read, and gives the trials of it that were not known, or otherwise.
  @discardableResult
  package mutating func take(_ change: Change) -> [Trial] {
    guard change.isAnew else {
      trials += change.trials
      for trial in change.trials { counts[trial.state, default: 0] += 1 }
      return change.trials
    }
    let known = Dictionary(trials.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
    trials = change.trials
    counts = trials.reduce(into: [:]) { $0[$1.state, default: 0] += 1 }
    return trials.filter { trial in !(known[trial.number].map(trial.isSameResult) ?? false) }
  }
}

extension Trial {
  /// Whether this is the same trial with the same ending; that the algorithm has heard of it meanwhile, that it
  /// has moved up, or that somebody has made a note does not matter.
  fileprivate func isSameResult(as other: Trial) -> Bool {
    number == other.number && state == other.state && attempt == other.attempt
      && finished == other.finished
  }
}
