// SPDX-License-Identifier: Apache-2.0

/// What is subtracted from each channel, and what it is then divided by.
public struct Normalization: Codable, Hashable, Sendable {
  /// One value a channel, of 0…1.
  public var mean: [Float]
  /// One value a channel, of 0…1.
  public var standardDeviation: [Float]

  /// A normalisation; both have as many values.
  public init(mean: [Float], standardDeviation: [Float]) {
    precondition(mean.count == standardDeviation.count, "one mean and deviation per channel")
    self.mean = mean
    self.standardDeviation = standardDeviation
  }
}
