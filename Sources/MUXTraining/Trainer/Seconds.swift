// SPDX-License-Identifier: Apache-2.0

/// Durations as numbers.
enum Seconds {
  /// Seconds since an instant.
  static func since(_ start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
