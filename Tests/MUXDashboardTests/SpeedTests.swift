// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXDashboard
import MUXStudies
import MUXTestSupport
import Testing

@Suite("Dashboard, speed", .serialized)
struct SpeedTests {
  /// Ten thousand trials: the figures are printed; the bound is for slow machines.
  @Test("Pages of a study with 10,000 trials are quick")
  func speed() async throws {
    let folder = try TemporaryFolder()
    _ = try Sample.store(10_000, in: SQLiteStore(path: folder("a.db"), access: .create))
    let model = DashboardModel(try SQLiteStore(path: folder("a.db"), access: .read))
    let clock = ContinuousClock()
    let start = clock.now
    _ = try await model.moments()
    print("first look at 10,000 trials: \(clock.now - start)")
    let client = Client(model)
    for path in [
      "/", "/studies/demo", "/studies/demo/trials", "/studies/demo/trials?page=100",
      "/studies/demo/trials/5000", "/studies/demo/texts/77",
    ] {
      var times: [Duration] = []
      var size = 0
      for _ in 0..<5 {
        let begin = clock.now
        let answer = try await client.get(path)
        times.append(clock.now - begin)
        #expect(answer.status == .ok)
        size = answer.body.utf8.count
        // Past the model's interval, so that the storage is asked again.
        try await Task.sleep(for: .milliseconds(550))
      }
      let sorted = times.sorted()
      print("\(path): first \(times[0]), median \(sorted[2]), \(size) bytes")
      #expect(sorted[2] < .milliseconds(200), "\(path)")
    }
  }
}
