// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// The wish of SIGINT and SIGTERM that this process ends.
enum StopRequest {
  private static let number = Atomic<Int32>(0)

  /// The signal that asked to stop, if one did.
  static var signal: Int32? {
    let value = number.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// Turns SIGINT and SIGTERM into a wish. A second signal of the kind acts as usual. Writing past a
  /// size limit becomes an ordinary error.
  static func watch() {
    let handler: @convention(c) (Int32) -> Void = { caught in
      // Only a lock-free store and `signal` itself: both are allowed in a handler.
      StopRequest.number.store(caught, ordering: .relaxed)
      Foundation.signal(caught, SIG_DFL)
    }
    _ = number.load(ordering: .relaxed)  // made now, not in the handler
    Foundation.signal(SIGINT, handler)
    Foundation.signal(SIGTERM, handler)
    Foundation.signal(SIGXFSZ, SIG_IGN)
    // A parent may have blocked them.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    sigaddset(&set, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// This program's file.
  static var program: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }
}
