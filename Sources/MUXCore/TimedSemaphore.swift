// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A semaphore that can be waited for by a clock that nobody sets.
///
/// (Dispatch's go by the time of day on Linux: where that is set back by hours, a wait of half a second
/// lasts hours.)
///
/// `@unchecked Sendable`: the value is read and written only while the mutex is held.
package final class TimedSemaphore: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value = 0

  /// A semaphore that nobody has signalled.
  package init() {
    pthread_mutex_init(mutex, nil)
    #if canImport(Darwin)
      pthread_cond_init(condition, nil)
    #else
      var attributes = pthread_condattr_t()
      pthread_condattr_init(&attributes)
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
      pthread_cond_init(condition, &attributes)
      pthread_condattr_destroy(&attributes)
    #endif
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Lets one wait end, now or later.
  package func signal() {
    pthread_mutex_lock(mutex)
    value += 1
    pthread_mutex_unlock(mutex)
    pthread_cond_signal(condition)
  }

  /// Waits for a signal.
  package func wait() {
    pthread_mutex_lock(mutex)
    while value == 0 { pthread_cond_wait(condition, mutex) }
    value -= 1
    pthread_mutex_unlock(mutex)
  }

  /// Waits for a signal, but no longer than some seconds (a hundred days at most).
  ///
  /// - Returns: Whether it came.
  package func wait(seconds: Double) -> Bool {
    let start = Self.nanoseconds()
    let end = start + Int64(min(max(seconds, 0), 8_640_000) * 1e9)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while value == 0 {
      let now = Self.nanoseconds()
      guard now < end else { return false }
      #if canImport(Darwin)
        var left = Self.time(end - now)
        pthread_cond_timedwait_relative_np(condition, mutex, &left)
      #else
        var due = Self.time(end)
        pthread_cond_timedwait(condition, mutex, &due)
      #endif
    }
    value -= 1
    return true
  }

  private static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  private static func time(_ nanoseconds: Int64) -> timespec {
    timespec(
      tv_sec: .init(nanoseconds / 1_000_000_000), tv_nsec: .init(nanoseconds % 1_000_000_000))
  }
}
