// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization

/// How processes wait for each other's transactions on a file of SQLite.
///
/// SQLite's own way sleeps longer the longer it has waited, up to 0.1 s, so that of many workers those that
/// came last win, and others wait for seconds. Here all look again after as short a time.
final class BusyWait: Sendable {
  private let seconds: Double
  private let begun = Mutex<[ObjectIdentifier: Double]>([:])

  private init(_ seconds: Double) { self.seconds = seconds }

  /// Waits for so many seconds at most.
  static func mode(_ seconds: Double) -> Database.BusyMode {
    let wait = BusyWait(seconds)
    return .callback { wait.again($0) }
  }

  /// Sleeps for a moment; false where the time is over.
  private func again(_ tries: Int) -> Bool {
    let now = Stopwatch.monotonic()
    let thread = ObjectIdentifier(Thread.current)
    let start = begun.withLock { begun in
      if tries == 0 { begun[thread] = now }
      return begun[thread] ?? now
    }
    guard now - start < seconds else {
      begun.withLock { $0[thread] = nil }
      return false
    }
    // By chance, so that processes that began together do not stay together.
    usleep(.random(in: 500...3_500))
    return true
  }
}
