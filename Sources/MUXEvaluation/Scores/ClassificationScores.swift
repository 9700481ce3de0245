// SPDX-License-Identifier: Apache-2.0

/// Loss and accuracy of a classifier over a set of images.
public struct ClassificationScores: Codable, Hashable, Sendable {
  /// Share of the images whose first guess is right, 0…1.
  public var top1: Double
  /// Share of the images with the right class among the first five guesses, 0…1.
  public var top5: Double
  /// Mean cross entropy (no smoothing).
  public var loss: Double
  /// How many images were seen.
  public var count: Int

  /// Scores from their parts.
  public init(top1: Double, top5: Double, loss: Double, count: Int) {
    self.top1 = top1
    self.top5 = top5
    self.loss = loss
    self.count = count
  }
}
