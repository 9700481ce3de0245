// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

@Suite("Clocks that are set")
struct StopwatchTests {
  @Test("Seconds only run forward, whatever the clock does")
  func forward() {
    var readings = [100.0, 101, 51, 52, -7_148, -7_147.5, 1e6, 1e6]
    var watch = Stopwatch { readings.removeFirst() }
    let seconds = (0..<7).map { _ in watch.seconds() }
    #expect(seconds == [1, 1, 2, 2, 2.5, 2.5 + 1e6 + 7_147.5, 2.5 + 1e6 + 7_147.5])
  }

  @Test("The clock is that of the machine, not the time of the day")
  func monotonic() {
    let first = Stopwatch.monotonic()
    #expect(Stopwatch.monotonic() >= first)
    #expect(abs(first - Date().timeIntervalSince1970) > 1e6)
  }

  @Test(
    "Leases from before the storage's clock was set back end as soon as any",
    arguments: StoreKind.available)
  func leases(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try StudyStorage.open(kind.url(in: folder), for: .create)
    let coordinator = StudyCoordinator(store)
    var study = try coordinator.create("a", try Sample.definition(lease: 30))
    _ = try coordinator.take(study, Sample.worker(1))
    try coordinator.acquireMaster(of: study, Sample.worker(2))
    let now = try store.write { transaction in
      let now = try transaction.now()
      // As two hours of another clock would have left them.
      var trial = try #require(try transaction.trial(0, of: study.id))
      trial.leaseEnd = now.addingTimeInterval(7_200)
      try transaction.update(trial, of: study.id)
      study.master = MasterLease(holder: Sample.worker(2), end: now.addingTimeInterval(7_200))
      try transaction.update(study)
      return now
    }
    try #expect(coordinator.expireLeases(of: study) == 0, "it gets a whole lease from now on")
    let end = try #require(try coordinator.trials(study)[0].leaseEnd)
    #expect(end >= now.addingTimeInterval(30))
    #expect(end < now.addingTimeInterval(3_600))
    try coordinator.acquireMaster(of: study, Sample.worker(3))
  }

  /// Moves what is kept of a trial by so many seconds, as the storage's clock would have left it that was
  /// set the other way.
  private func move(
    _ seconds: Double, _ study: Study, _ store: any StudyStore,
    _ part: WritableKeyPath<Trial, Date?>
  ) throws {
    try store.write { transaction in
      var trial = try #require(try transaction.trial(0, of: study.id))
      trial[keyPath: part] = trial[keyPath: part]?.addingTimeInterval(seconds)
      try transaction.update(trial, of: study.id)
    }
  }

  @Test(
    "Where the storage's clock was set forward, workers of other machines get the time of a beat",
    arguments: StoreKind.available)
  func forwardLeases(kind: StoreKind) throws {
    let folder = try TemporaryFolder()
    let store = try StudyStorage.open(kind.url(in: folder), for: .create)
    let coordinator = StudyCoordinator(store)
    let study = try coordinator.create("a", try Sample.definition(lease: 30))
    let lease = try coordinator.take(study, Sample.worker(1))
    try move(-7_200, study, store, \.leaseEnd)
    let other = try coordinator.take(study, Sample.worker(2))
    #expect(other.trial.number == 1, "the first one is not taken away")
    try coordinator.renew(lease)
    try #expect(coordinator.trials(study)[0].reason == nil)
    // One that is gone for good gets no more than that.
    try move(-7_200, study, store, \.leaseEnd)
    try #expect(coordinator.expireLeases(of: study) == 0)
    try move(-16, study, store, \.leaseEnd)
    try #expect(coordinator.expireLeases(of: study) == 1)
    try #expect(coordinator.trials(study)[0].state == .stale)
  }

  @Test("Seconds of a trial are those that its worker measured, or none rather than wrong ones")
  func durations() throws {
    let store = MemoryStore()
    let coordinator = StudyCoordinator(store)
    let study = try coordinator.create("a", try Sample.definition())
    for (shift, measured) in [(-7_200.0, 30.0), (7_200, 30), (0, 2)] {
      let lease = try coordinator.take(study, Sample.worker(1))
      let number = lease.trial.number
      try store.write { transaction in
        var trial = try #require(try transaction.trial(number, of: study.id))
        trial.started = trial.started?.addingTimeInterval(shift)
        try transaction.update(trial, of: study.id)
      }
      try coordinator.finish(
        lease, .complete(objectives: [1, 2, 3]), seconds: shift == 0 ? nil : measured)
      let trial = try coordinator.trials(study)[number]
      let seconds = try #require(trial.seconds)
      #expect(shift == 0 ? (0..<2).contains(seconds) : seconds == measured, "\(seconds)")
      #expect((trial.attributes["took"] != nil) == (shift != 0))
    }
    try move(14_400, study, store, \.started)
    var unmeasured = try coordinator.trials(study)[0]
    unmeasured.attributes = [:]
    #expect(unmeasured.seconds == nil)
  }
}
