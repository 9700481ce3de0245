// SPDX-License-Identifier: Apache-2.0

/// Durations as numbers.
package enum Seconds {
  package static func since(_ start: ContinuousClock.Instant) -> Double {
    of(ContinuousClock.now - start)
  }

  /// The seconds of a duration.
  package static func of(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
