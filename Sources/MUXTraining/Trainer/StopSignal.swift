// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// A wish to stop after the step under way, from a signal or from another thread.
public final class StopSignal: Sendable {
  private let number = Atomic<Int32>(0)

  /// No wish yet.
  public init() {}

  /// Asks to stop as an interruption from the keyboard does.
  public func request() { request(SIGINT) }

  /// Asks to stop; `signal` is that which asked.
  public func request(_ signal: Int32) { number.store(signal, ordering: .relaxed) }

  /// The signal that asked to stop, if one did.
  public var requested: Int32? {
    let value = number.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// The wish that SIGINT and SIGTERM of this process express, once ``watch()`` was called.
  public static let process = StopSignal()

  /// Turns SIGINT and SIGTERM into a wish to stop. A second signal of the kind acts as usual and
  /// ends the process at once. Writing past a size limit becomes an ordinary error.
  public static func watch() {
    let handler: @convention(c) (Int32) -> Void = { signalNumber in
      // Only a lock-free store and `signal` itself: both are allowed in a handler.
      StopSignal.process.request(signalNumber)
      signal(signalNumber, SIG_DFL)
    }
    _ = StopSignal.process  // made now, not in the handler
    signal(SIGINT, handler)
    signal(SIGTERM, handler)
    // Threads of the concurrency runtime block signals. Where the main thread has ended, a signal
    // would find nobody to take it, so at least this thread does.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    signal(SIGXFSZ, SIG_IGN)
  }
}
