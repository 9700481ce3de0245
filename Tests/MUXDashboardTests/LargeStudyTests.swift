// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXDashboard
import MUXStudies
import MUXTestSupport
import Synchronization
import Testing

/// What keeps the dashboard quick with many trials, counted instead of timed: pages of bounded size,
/// made once until the study changes.
@Suite("Dashboard, large studies", .tags(.slow))
struct LargeStudyTests {
  @Test("Pages of a study with 10,000 trials are not longer than a browser likes")
  func sizes() async throws {
    let folder = try TemporaryFolder()
    let count = 10_000 / Portion.step
    _ = try Sample.store(count, in: SQLiteStore(path: folder("a.db"), access: .create))
    let client = Client(DashboardModel(try SQLiteStore(path: folder("a.db"), access: .read)))
    for (path, most) in [
      ("/", 100_000), ("/studies/demo", 2_500_000), ("/studies/demo/trials", 250_000),
      ("/studies/demo/trials?page=\(count / 100)", 250_000),
      ("/studies/demo/trials/\(count / 2)", 100_000),
      ("/studies/demo/texts/77", 100_000),
    ] {
      let answer = try await client.get(path)
      #expect(answer.status == .ok, "\(path)")
      #expect(answer.body.utf8.count < most, "\(path)")
    }
  }

  @Test(
    "Of many trials charts draw some and say so; lists have them all, by every filter and order")
  func thinned() async throws {
    let store = try Sample.store(8_000)
    let client = Client(DashboardModel(store))
    let page = try await client.get("/studies/demo")
    #expect(page.body.contains("every 2nd of the other complete trials"))
    for (query, pages) in [
      ("", 81), ("?state=complete", 80), ("?where=number<250", 3), ("?sort=error", 81),
      ("?where=number<100,number>89&sort=error&order=down", 1),
    ] {
      let list = try await client.get("/studies/demo/trials\(query)")
      #expect(list.body.contains("page 1 of \(pages)<"), "\(query)")
    }
    let newest = try await client.get("/studies/demo/trials").body
    #expect(newest.contains("value=\"8002\"") && newest.contains("value=\"7999\""))
    let last = try await client.get("/studies/demo/trials?page=81").body
    #expect(last.contains("value=\"0\"") && !last.contains("value=\"8002\""))
  }

  @Test("A page is made once, however often it is asked for, until the study changes")
  func pages() async throws {
    let store = try Sample.store(20)
    let model = DashboardModel(store, interval: 0)
    let made = Atomic<Int>(0)
    func page() async throws -> String {
      try await model.page("trials", of: model.snapshot(of: "demo")) { snapshot in
        made.add(1, ordering: .relaxed)
        return "\(snapshot.finishedCount)"
      }
    }
    for _ in 0..<5 { #expect(try await page() == "21") }
    #expect(made.load(ordering: .relaxed) == 1)
    // The waiting trial is done.
    try store.write { transaction in
      let study = try #require(try transaction.study(named: "demo"))
      var trial = try #require(
        try transaction.trials(of: study.id, in: [.waiting], limit: nil).first)
      trial.state = .complete
      trial.finishOrder = 21
      trial.objectives = try transaction.trial(0, of: study.id)?.objectives
      try transaction.update(trial, of: study.id)
    }
    for _ in 0..<5 { #expect(try await page() == "22") }
    #expect(made.load(ordering: .relaxed) == 2)
  }
}
