// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// Measures the latency of networks for a reproduction, on libtorch or on this package's runtime.
package struct LatencyMeter {
  /// The name in the headers of columns.
  package var name: String
  /// Milliseconds that a batch takes, the median of some runs.
  package var milliseconds: (_ network: Network, _ batchSize: Int) throws -> Double

  package init(
    name: String, milliseconds: @escaping (_ network: Network, _ batchSize: Int) throws -> Double
  ) {
    self.name = name
    self.milliseconds = milliseconds
  }
}
