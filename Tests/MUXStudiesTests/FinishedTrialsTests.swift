// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import Testing

@Suite("Following the trials that are through")
struct FinishedTrialsTests {
  private let store = MemoryStore()
  private let coordinator: StudyCoordinator
  private let study: Study

  init() throws {
    coordinator = StudyCoordinator(store)
    study = try coordinator.create("a", Sample.definition(trials: 12))
  }

  /// Works on so many trials, of which some fail.
  private func work(_ count: Int, failing: Set<Int> = []) throws {
    for _ in 0..<count {
      let lease = try coordinator.take(study, Sample.worker(1))
      let values = try Sample.objectives(lease.trial, study.definition)
      try coordinator.finish(
        lease,
        failing.contains(lease.trial.number)
          ? .failed(reason: "no luck") : .complete(objectives: values))
    }
  }

  private func change(_ known: FinishedTrials) throws -> FinishedTrials.Change {
    try store.read { try known.change(in: $0, open: $0.openCounts(of: study.id)) }
  }

  @Test("Only what is new is read, and nothing where nothing is")
  func news() throws {
    var known = FinishedTrials(of: study.id)
    let first = try change(known)
    #expect(!first.isAnew && known.take(first).isEmpty)
    try work(5, failing: [2])
    #expect(known.take(try change(known)).map(\.number) == [0, 1, 2, 3, 4])
    try work(2)
    let news = try change(known)
    #expect(!news.isAnew && news.trials.map(\.number) == [5, 6])
    known.take(news)
    let nothing = try change(known)
    #expect(!nothing.isAnew && nothing.trials.isEmpty)
    #expect(known.counts == [.complete: 6, .failed: 1])
  }

  @Test(
    "A trial that is tried again is noticed, wherever it stood, and though the number is as before",
    arguments: [0, 2, 5])
  func again(failed: Int) throws {
    try work(6, failing: [failed])
    var known = FinishedTrials(of: study.id)
    known.take(try change(known))
    var tracker = StudyTracker(coordinator, study)
    #expect(try tracker.look().standings.counts[.failed] == 1)
    try coordinator.retry(nil, of: study)
    try work(1)
    let news = try change(known)
    #expect(news.isAnew)
    #expect(known.take(news).map(\.number) == [failed])
    #expect(known.counts == [.complete: 6])
    let snapshot = try tracker.look()
    #expect(snapshot.news.map(\.number) == [failed])
    #expect(snapshot.standings.counts == [.complete: 6])
    #expect(snapshot.standings.completed.count == 6)
  }
}
