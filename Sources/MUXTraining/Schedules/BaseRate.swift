// SPDX-License-Identifier: Apache-2.0

/// The learning rate before any schedule: given outright, or derived from the batch size.
public struct BaseRate: Hashable, Sendable, CustomStringConvertible {
  /// How a rate follows the batch size.
  public enum Scaling: String, Codable, CaseIterable, Sendable {
    /// The rate as it is given.
    case none
    /// Proportional to the batch (Goyal et al. 2017; the paper's sources use 0.016 for each 256).
    case linear
    /// Proportional to the root of the batch, common with AdamW.
    case squareRoot
  }

  /// The rate to use.
  public let rate: Double
  /// How it came about, for the log.
  public let description: String

  /// Derives the rate for `batchSize` images per optimizer step from one that was tuned for
  /// `referenceBatchSize` images.
  public init(rate: Double, scaling: Scaling, batchSize: Int, referenceBatchSize: Int) {
    let ratio = Double(batchSize) / Double(referenceBatchSize)
    switch scaling {
    case .none:
      self.rate = rate
      description = "learning rate \(rate) as given"
    case .linear:
      self.rate = rate * ratio
      description =
        "learning rate \(self.rate) = \(rate) × \(batchSize)/\(referenceBatchSize) (linear in the batch)"
    case .squareRoot:
      self.rate = rate * ratio.squareRoot()
      description =
        "learning rate \(self.rate) = \(rate) × √(\(batchSize)/\(referenceBatchSize)) (root of the batch)"
    }
  }
}
