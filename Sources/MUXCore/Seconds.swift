// SPDX-License-Identifier: Apache-2.0

/// Durations as numbers.
package enum Seconds {
  /// Seconds since an instant.
  package static func since(_ start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
