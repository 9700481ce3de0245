// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
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
}
