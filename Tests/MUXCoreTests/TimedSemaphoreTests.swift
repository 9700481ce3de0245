// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTestSupport
import Testing

@Suite("Semaphores with a limit", .tags(.waits), .endsSometime)
struct TimedSemaphoreTests {
  @Test("a signal counts, whether it comes before or while somebody waits")
  func signals() {
    let semaphore = TimedSemaphore()
    semaphore.signal()
    semaphore.signal()
    semaphore.wait()
    #expect(semaphore.wait(seconds: 0))
    #expect(!semaphore.wait(seconds: 0))
    let thread = Thread { semaphore.signal() }
    thread.start()
    #expect(semaphore.wait(seconds: 1e300))
  }

  @Test("without a signal a wait lasts as long as was said, and no less")
  func limit() {
    let semaphore = TimedSemaphore()
    let start = ContinuousClock.now
    #expect(!semaphore.wait(seconds: 0.02))
    #expect(ContinuousClock.now - start >= .milliseconds(20))
    #expect(!semaphore.wait(seconds: -1) && !semaphore.wait(seconds: -.infinity))
  }

  @Test("each signal ends one wait of many threads")
  func threads() {
    let (semaphore, done) = (TimedSemaphore(), TimedSemaphore())
    for _ in 0..<4 {
      Thread {
        for _ in 0..<500 { semaphore.wait() }
        done.signal()
      }.start()
    }
    for _ in 0..<2000 { semaphore.signal() }
    for _ in 0..<4 { done.wait() }
    #expect(!semaphore.wait(seconds: 0))
  }
}
