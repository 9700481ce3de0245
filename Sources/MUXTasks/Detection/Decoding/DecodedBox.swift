// SPDX-License-Identifier: Apache-2.0

/// A box that a detector found, in shares of the image.
public struct DecodedBox: Sendable, Hashable {
  /// The class, from 0.
  public var label: Int
  /// The probability of the class, 0…1.
  public var score: Float
  /// Where it is; it may reach beyond the image.
  public var box: BoundingBox
  /// The default box that it came from.
  public var prior: Int
}

/// How many boxes are taken of an image, and which.
public struct DetectionLimits: Sendable, Hashable {
  /// Boxes count whose class has a probability above this.
  public var score: Double
  /// A box goes if it overlaps a better one of its class by more than this.
  public var overlap: Double
  /// The most candidates of a class, the best.
  public var candidatesPerClass: Int
  /// The most boxes of an image, the best.
  public var boxesPerImage: Int

  /// Limits.
  public init(
    score: Double = 0.01, overlap: Double = 0.45, candidatesPerClass: Int = 400,
    boxesPerImage: Int = 200
  ) {
    self.score = score
    self.overlap = overlap
    self.candidatesPerClass = candidatesPerClass
    self.boxesPerImage = boxesPerImage
  }
}
