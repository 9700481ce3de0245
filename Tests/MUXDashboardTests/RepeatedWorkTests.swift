// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXDashboard
import MUXStudies
import MUXTestSupport
import Synchronization
import Testing

@Suite("Dashboard, work that is not done twice", .tags(.waits), .endsSometime)
struct RepeatedWorkTests {
  @Test("A page is made once for as long as nothing changes")
  func pages() async throws {
    let folder = try TemporaryFolder()
    let store = try Sample.store(50, in: SQLiteStore(path: folder("a.db"), access: .create))
    let model = DashboardModel(
      try SQLiteStore(path: folder("a.db"), access: .read), interval: 0)
    let made = Mutex(0)
    @Sendable func page() async throws -> String {
      try await model.page("x", of: try await model.snapshot(of: "demo")) { snapshot in
        made.withLock { $0 += 1 }
        return snapshot.revision
      }
    }
    let first = try await page()
    for _ in 0..<5 { try #expect(await page() == first) }
    #expect(made.withLock { $0 } == 1)
    let study = try #require(try StudyCoordinator(store).studies().first)
    try StudyCoordinator(store).setLimits(StudyLimits(trials: 99), of: study)
    let second = try await page()
    #expect(second != first)
    #expect(made.withLock { $0 } == 2)
  }

  /// Locks a storage until the semaphore is signalled.
  private func lock(_ store: MemoryStore) -> DispatchSemaphore {
    let isLocked = DispatchSemaphore(value: 0)
    let release = DispatchSemaphore(value: 0)
    let holder = Thread {
      try? store.write { _ in
        isLocked.signal()
        release.wait()
      }
    }
    holder.start()
    isLocked.wait()
    return release
  }

  @Test("Whoever waits for a storage keeps no other task waiting")
  func blockedStorage() async throws {
    let store = MemoryStore()
    _ = try Sample.store(3, in: store)
    let release = lock(store)
    // More than there are threads for all tasks: each would block one of those.
    let waiting = (0..<64).map { _ in
      Task { try await DashboardModel(store).snapshot(of: "demo").finishedCount }
    }
    await Task.yield()
    let other = await Task { 42 }.value
    #expect(other == 42, "would not come if all threads waited")
    release.signal()
    for task in waiting { try #expect(await task.value == 4) }
  }
}
