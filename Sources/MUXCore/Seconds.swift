// SPDX-License-Identifier: Apache-2.0

/// Durations as numbers, and as text.
package enum Seconds {
  package static func since(_ start: ContinuousClock.Instant) -> Double {
    of(ContinuousClock.now - start)
  }

  /// The seconds of a duration.
  package static func of(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// Such as `0:07`, `12:03` or `3:04:05`; nil for what nobody would wait for.
  package static func clock(_ seconds: Double) -> String? {
    guard seconds.isFinite, seconds < 1e9 else { return nil }
    let whole = Int(max(seconds, 0).rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}
