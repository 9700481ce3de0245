// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXStudies

/// Milliseconds by the width of the stem, as a stand-in for a stopwatch.
struct StemLatency: LatencyMeasure {
  static func milliseconds(_ architecture: Architecture) -> Double {
    Double(architecture.stem.channels) / 8
  }

  func milliseconds(_ architecture: Architecture) -> Double { Self.milliseconds(architecture) }
}

/// Takes a storage back to the tables of an older version, with what was in it.
enum OldStorage {
  static func statements(to version: Int) -> [String] {
    let second = [
      """
      UPDATE muxnet_studies SET algorithm = \
      (SELECT state FROM muxnet_states WHERE study = muxnet_studies.id)
      """,
      "DROP TABLE muxnet_states", "DROP TABLE muxnet_steps",
    ]
    let first = ["DROP TABLE muxnet_reports", "DROP INDEX muxnet_trials_untold"]
    return second + (version < 2 ? first : [])
      + ["UPDATE muxnet_schema SET version = \(version)"]
  }
}
