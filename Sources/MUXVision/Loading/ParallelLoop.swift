// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Runs `body(0)` … `body(count − 1)` on several threads and returns when all are done.
///
/// `body` must be safe to run at once for different numbers.
package func parallelFor(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
  guard threads > 1 && count > 1 else {
    for index in 0..<count { body(index) }
    return
  }
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index)
    }
  }
}

/// The results of `body(0)` … `body(count − 1)`, worked out on several threads.
package func parallelMap<Value: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) -> Value
) -> [Value] {
  let results = Mutex([Value?](repeating: nil, count: count))
  parallelFor(count, threads: threads) { index in
    let value = body(index)
    results.withLock { $0[index] = value }
  }
  return results.withLock { $0.compactMap { $0 } }
}
