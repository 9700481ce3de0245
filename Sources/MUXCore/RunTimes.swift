// SPDX-License-Identifier: Apache-2.0

/// The times of single runs.
public struct RunTimes: Sendable, Hashable, Codable {
  /// All runs in their order, in seconds.
  public var seconds: [Double]

  /// Times in seconds.
  public init(_ seconds: [Double]) { self.seconds = seconds }

  /// The fastest run; 0 without runs.
  public var minimum: Double { quantile(0) }
  /// The middle run.
  public var median: Double { quantile(0.5) }
  /// The time that 95 % of the runs do not exceed.
  public var percentile95: Double { quantile(0.95) }

  /// A quantile, linear between the two nearest runs; 0 without runs.
  public func quantile(_ share: Double) -> Double { Quantiles(seconds).linear(share) ?? 0 }
}
