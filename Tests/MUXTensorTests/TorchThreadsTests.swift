// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTensor
import MUXTestSupport
import Synchronization
import Testing

@Suite("Threads of libtorch", .tags(.waits), .endsSometime)
struct TorchThreadsTests {
  @Test("each thread keeps the number that it set, whatever others set before it first asks")
  func each() {
    let counts = [1, 2, 1, 2]
    let found = Mutex<[Int]>(Array(repeating: 0, count: counts.count))
    let (hasSet, allHaveSet, done) = (TimedSemaphore(), TimedSemaphore(), TimedSemaphore())
    for (index, count) in counts.enumerated() {
      Thread {
        try? TorchRuntime.setThreads(count)
        hasSet.signal()
        allHaveSet.wait()
        found.withLock { $0[index] = TorchRuntime.threads }
        done.signal()
      }.start()
    }
    for _ in counts { hasSet.wait() }
    for _ in counts { allHaveSet.signal() }
    for _ in counts { done.wait() }
    #expect(found.withLock { $0 } == counts)
  }
}
