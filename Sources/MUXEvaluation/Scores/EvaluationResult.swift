// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// How well a classifier does on a set of images.
public struct EvaluationResult: Codable, Hashable, Sendable {
  /// One class's part.
  public struct ClassResult: Codable, Hashable, Sendable {
    /// The class.
    public var name: String
    /// Images of the class.
    public var count: Int
    /// Those that were recognised (recall = correct / count).
    public var correct: Int
    /// Images of any class that were taken for this one (precision = correct / predicted).
    public var predicted: Int
    /// Share of the images that were recognised, 0…1; nil for a class without images.
    public var recall: Double? { count > 0 ? Double(correct) / Double(count) : nil }
  }

  /// Loss and accuracy over all images.
  public var scores: ClassificationScores
  /// The classes, in the order of the outputs.
  public var classes: [ClassResult]
  /// How many images of class i (row) were taken for class j (column).
  public var confusion: [[Int]]
  /// Images per second, reading included.
  public var imagesPerSecond: Double
  /// Seconds in all.
  public var seconds: Double
  /// What lies beside the images and was left out.
  public var leftOut: [LeftOut.Group] = []
  /// Things about the images that are allowed but probably not meant, such as absent classes.
  public var warnings: [String] = []
}
