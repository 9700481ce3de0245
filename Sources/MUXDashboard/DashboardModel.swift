// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXReport
public import MUXStudies

/// What the dashboard knows of a storage. It reads only, and each look only what is new; pages that
/// were made once are given again until something changes.
///
/// Reading a storage may wait for a disk or a server, and large pages take a while: all of it is done
/// on a thread of its own, so that the threads that answer requests never wait.
public actor DashboardModel {
  /// A study at a moment.
  public struct Moment: Sendable {
    /// The study, with its history.
    public var view: StudyView
    /// How many trials are in each state.
    public var counts: [TrialState: Int]
    /// Trials that are through, in the order of finishing.
    public var finished: [Trial]
    /// Trials that are not, by number.
    public var active: [Trial]
    /// Differs between any two states of the study.
    public var revision: String

    /// Trials that are through, whatever came of them.
    public var finishedCount: Int { finished.count }
  }

  private struct Feed {
    var moment: Moment
    var history: StudyHistory
    var next: Int
    var looked: ContinuousClock.Instant
    var pages: [String: (revision: String, html: String)] = [:]
  }

  private let coordinator: StudyCoordinator
  private let interval: Double
  private let thread = StorageThread()
  private var feeds: [Int: Feed] = [:]

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
  public func moments() throws -> [Moment] { try overview().moments }

  /// All studies that can be read at this moment, the oldest first, and what is wrong with the
  /// others.
  ///
  /// - Throws: `StudyError`, `SearchError`.
  public func overview() throws -> (moments: [Moment], damage: [StudyError]) {
    var (studies, damage) = try coordinator.survey()
    let known = Set(studies.map(\.id))
    feeds = feeds.filter { known.contains($0.key) }
    var moments: [Moment] = []
    for study in studies {
      do {
        moments.append(try look(study))
      } catch let error as StudyError where error.isDamage {
        damage.append(error)
      }
    }
    return (moments, damage)
  }

  /// A study at this moment.
  ///
  /// - Throws: `StudyError` and others.
  public func moment(of name: String) throws -> Moment {
    if let feed = feeds.values.first(where: { $0.moment.view.study.name == name }),
      isFresh(feed)
    {
      return feed.moment
    }
    return try look(try coordinator.study(named: name))
  }

  /// A study with one of its trials.
  ///
  /// - Throws: `StudyError` and others.
  public func trial(_ number: Int, of name: String) throws -> (Moment, Trial) {
    let moment = try moment(of: name)
    let study = moment.view.study
    let (found, now) = try coordinator.store.read {
      (try $0.trial(number, of: study.id), try $0.now())
    }
    guard var found else {
      throw StudyError.unknownTrial(
        study: study.name, number: number, count: moment.counts.values.reduce(0, +))
    }
    found.state = found.state(at: now)
    return (moment, found)
  }

  /// A page of a study, made anew only where the study has changed since.
  public func page(
    _ key: String, of moment: Moment, make: @Sendable (Moment) throws -> String
  ) throws -> String {
    let id = moment.view.study.id
    if let known = feeds[id]?.pages[key], known.revision == moment.revision { return known.html }
    let html = try make(moment)
    // A few kinds of pages, but any number of their parts may be asked for.
    if (feeds[id]?.pages.count ?? 0) > 32 { feeds[id]?.pages = [:] }
    feeds[id]?.pages[key] = (moment.revision, html)
    return html
  }

  private func isFresh(_ feed: Feed) -> Bool {
    feed.looked.duration(to: .now) < .seconds(interval)
  }

  private func look(_ study: Study) throws -> Moment {
    if let feed = feeds[study.id], isFresh(feed) { return feed.moment }
    let known = feeds[study.id]
    let from = known?.next ?? 0
    let (counts, news, active, now) = try coordinator.store.read { transaction in
      (
        try transaction.counts(of: study.id),
        try transaction.finishedTrials(of: study.id, from: from),
        try transaction.trials(
          of: study.id, in: [.running, .stale, .waiting], limit: Self.mostActive),
        try transaction.now()
      )
    }
    let through = counts.reduce(0) { $0 + ($1.key.isFinished ? $1.value : 0) }
    let before = known?.moment.finished ?? []
    // Trials that are tried again leave the order of finishing: then all is read anew.
    if known != nil, before.count + news.count != through {
      feeds[study.id] = nil
      return try look(study)
    }
    var history = try known?.history ?? StudyHistory(study.definition)
    for trial in news { history.add(trial) }
    let shown = active.map { trial in
      var trial = trial
      trial.state = trial.state(at: now)
      return trial
    }
    var states = counts
    let stale = zip(active, shown).count(where: { $0.state == .running && $1.state == .stale })
    if stale > 0 {
      states[.running, default: 0] -= stale
      states[.stale, default: 0] += stale
    }
    let next = (news.compactMap(\.finishOrder).max()).map { $0 + 1 } ?? from
    let revision =
      "\(study.id)-\(next)-"
      + TrialState.allCases.map { "\(states[$0] ?? 0)" }.joined(separator: ".")
      + "-\(study.definition.limits.trials)"
    let moment = Moment(
      view: StudyView(study, history), counts: states, finished: before + news, active: shown,
      revision: revision)
    feeds[study.id] = Feed(
      moment: moment, history: history, next: next, looked: .now, pages: known?.pages ?? [:])
    return moment
  }
}
