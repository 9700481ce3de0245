// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks

/// Measures how long a network takes on this machine. Studies know no engine: programs lend one.
public protocol LatencyMeasure: Sendable {
  /// Milliseconds for one image. It may take long, and is never called while a storage is locked.
  ///
  /// - Throws: anything; a network that cannot be measured does not keep a limit.
  func milliseconds(_ architecture: Architecture) throws -> Double
}
