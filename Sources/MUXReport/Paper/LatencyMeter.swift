// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks

/// Measures the latency of networks for a reproduction, on libtorch or on this package's runtime.
public struct LatencyMeter {
  /// The name in the headers of columns.
  public var name: String
  /// Milliseconds that a batch takes, the median of some runs.
  public var milliseconds: (_ network: Network, _ batchSize: Int) throws -> Double

  /// A meter.
  public init(
    name: String, milliseconds: @escaping (_ network: Network, _ batchSize: Int) throws -> Double
  ) {
    self.name = name
    self.milliseconds = milliseconds
  }
}
