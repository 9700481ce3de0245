// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXReport
public import MUXStudies

/// What the dashboard knows of a storage. It reads only, and each look only what is new; pages that
/// were made once are given again until something changes.
///
/// Reading a storage may wait for a disk or a server, and large pages take a while: all of it is done
/// on a thread of its own, so that the threads that answer requests never wait.
public actor DashboardModel {
  /// A study at a moment.
  package struct Snapshot: Sendable {
    /// The study, with its history.
    package var view: StudyView
    package var counts: [TrialState: Int]
    /// Trials that are through, in the order of finishing.
    package var finished: [Trial]
    package var active: [Trial]
    /// Differs between any two states of the study.
    package var revision: String

    /// Trials that are through, whatever came of them.
    package var finishedCount: Int { finished.count }
  }

  private struct CachedStudy {
    var snapshot: Snapshot
    var progress: FinishedTrials
    var looked: ContinuousClock.Instant
    /// How often its trials were read anew.
    var readings: Int
    var pages: [String: (revision: String, html: String)] = [:]
  }

  private let coordinator: StudyCoordinator
  private let interval: Double
  private let thread = StorageThread()
  private var cache: [Int: CachedStudy] = [:]

  /// Of trials that are not finished, at most so many are read.
  static let mostActive = 500

  /// A model of a storage; studies are looked at no more often than every `interval` seconds.
  public init(_ store: any StudyStore, interval: Double = 0.5) {
    coordinator = StudyCoordinator(store)
    self.interval = interval
  }

  /// Where everything here runs.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// The storage's address, without a password.
  public nonisolated var address: String { coordinator.store.url.description }

  /// All studies at this moment, the oldest first, but for damaged ones.
  ///
  /// - Throws: `StudyError`, `SearchError`.
  package func snapshots() throws -> [Snapshot] { try overview().snapshots }

  /// All studies that can be read at this moment, the oldest first, and what is wrong with the
  /// others.
  ///
  /// - Throws: `StudyError`, `SearchError`.
  package func overview() throws -> (snapshots: [Snapshot], damage: [StudyError]) {
    var (studies, damage) = try coordinator.survey()
    let known = Set(studies.map(\.id))
    cache = cache.filter { known.contains($0.key) }
    var snapshots: [Snapshot] = []
    for study in studies {
      do {
        snapshots.append(try look(study))
      } catch let error as StudyError where error.isDamage {
        damage.append(error)
      }
    }
    return (snapshots, damage)
  }

  /// A study at this moment.
  ///
  /// - Throws: `StudyError` and others.
  package func snapshot(of name: String) throws -> Snapshot {
    if let cached = cache.values.first(where: { $0.snapshot.view.study.name == name }),
      isFresh(cached)
    {
      return cached.snapshot
    }
    return try look(try coordinator.study(named: name))
  }

  /// A study with one of its trials.
  ///
  /// - Throws: `StudyError` and others.
  package func trial(_ number: Int, of name: String) throws -> (Snapshot, Trial) {
    let snapshot = try snapshot(of: name)
    let study = snapshot.view.study
    let (found, now) = try coordinator.store.read {
      (try $0.trial(number, of: study.id), try $0.now())
    }
    guard var found else {
      throw StudyError.unknownTrial(
        study: study.name, number: number, count: snapshot.counts.values.reduce(0, +))
    }
    found.state = found.state(at: now)
    return (snapshot, found)
  }

  /// A page of a study, made anew only where the study has changed since.
  package func page(
    _ key: String, of snapshot: Snapshot, make: @Sendable (Snapshot) throws -> String
  ) throws -> String {
    let id = snapshot.view.study.id
    if let known = cache[id]?.pages[key], known.revision == snapshot.revision { return known.html }
    let html = try make(snapshot)
    // A few kinds of pages, but any number of their parts may be asked for.
    if (cache[id]?.pages.count ?? 0) > 32 { cache[id]?.pages = [:] }
    cache[id]?.pages[key] = (snapshot.revision, html)
    return html
  }

  private func isFresh(_ cached: CachedStudy) -> Bool {
    cached.looked.duration(to: .now) < .seconds(interval)
  }

  private func look(_ study: Study) throws -> Snapshot {
    if let cached = cache[study.id], isFresh(cached) { return cached.snapshot }
    let (open, change, active, now) = try news(of: study)
    // Taken out, so that what is known is changed where it is, and not copied.
    var known = cache.removeValue(forKey: study.id)
    var progress = known?.progress ?? FinishedTrials(of: study.id)
    let pages = known?.pages ?? [:]
    let readings = (known?.readings ?? 0) + (change.isAnew ? 1 : 0)
    var history =
      try (change.isAnew ? nil : known?.snapshot.view.history) ?? StudyHistory(study.definition)
    known = nil
    for trial in change.trials { history.add(trial) }
    progress.take(change)
    let shown = active.map { trial in
      var trial = trial
      trial.state = trial.state(at: now)
      return trial
    }
    var states = open.merging(progress.counts) { $1 }
    let stale = zip(active, shown).count(where: { $0.state == .running && $1.state == .stale })
    if stale > 0 {
      states[.running, default: 0] -= stale
      states[.stale, default: 0] += stale
    }
    let revision =
      "\(study.id)-\(readings)-\(progress.trials.count)-"
      + TrialState.allCases.map { "\(states[$0] ?? 0)" }.joined(separator: ".")
      + "-\(study.definition.limits.trials)"
    let snapshot = Snapshot(
      view: StudyView(study, history), counts: states, finished: progress.trials, active: shown,
      revision: revision)
    cache[study.id] = CachedStudy(
      snapshot: snapshot, progress: progress, looked: .now, readings: readings, pages: pages)
    return snapshot
  }

  /// What the storage has beside what is known, at one moment.
  private func news(
    of study: Study
  ) throws -> (
    open: [TrialState: Int], change: FinishedTrials.Change, active: [Trial], now: Date
  ) {
    let known = cache[study.id]?.progress ?? FinishedTrials(of: study.id)
    return try coordinator.store.read { transaction in
      let open = try transaction.openCounts(of: study.id)
      return (
        open, try known.change(in: transaction, open: open),
        try transaction.trials(
          of: study.id, in: [.running, .stale, .waiting], limit: Self.mostActive),
        try transaction.now()
      )
    }
  }
}
