// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Seconds since it was made, by a clock that only runs forward: whoever sets the machine's time, by
/// hand or over the network, moves no heart-beat and no rest.
///
/// Some virtual machines and tools move even the clock that should be monotonic; what it goes back is
/// not counted.
package struct Stopwatch {
  private let read: () -> Double
  private var last: Double
  private var sum = 0.0

  /// Starts; `read` gives seconds of any clock.
  package init(_ read: @escaping () -> Double = Self.monotonic) {
    self.read = read
    last = read()
  }

  /// The seconds so far.
  package mutating func seconds() -> Double {
    let now = read()
    if now > last { sum += now - last }
    last = now
    return sum
  }

  /// Sleeps in small parts until so many seconds are over, or `isOver` says so.
  static func rest(_ seconds: Double, tick: Double = 0.05, until isOver: () -> Bool) {
    var watch = Stopwatch()
    while true {
      let left = seconds - watch.seconds()
      if left <= 0 || isOver() { return }
      usleep(UInt32(min(max(left, 0.001), tick) * 1e6))
    }
  }

  package static func monotonic() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
