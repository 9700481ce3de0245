// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXTasks

/// How well a network does on a set of images.
///
/// In JSON the scores stand under `scores`, and what the task says beside them (classes, a confusion
/// matrix) under keys of its own.
public struct EvaluationResult: Sendable, Encodable {
  /// The values of the task's metrics over all images.
  public var scores: Scores
  /// What the task says beside the scores, such as `ClassificationMeter.Details`.
  public var details: any Encodable & Sendable
  /// The scores in rows and columns, class by class as a rule.
  public var tables: [ScoreTable]
  /// Curves that say more than the scores.
  public var charts: [ScoreChart] = []
  /// The images that are most wrong, the worst first, as many as ``Evaluator/keptVerdicts`` says.
  public var worst: [JudgedImage] = []
  /// How often each class was taken for each, for tasks of one class per image.
  public var confusion: ConfusionTable?
  /// Between which values scores lie when images (patients, where they are known) are drawn anew; nil
  /// unless asked for.
  public var intervals: ScoreIntervals?
  /// Which of several usual divisions of the data the images are of.
  public var division: String?
  /// The task with those of its settings chosen that depend on results.
  public var tunedTask: NamedTask
  /// Images per second, reading included.
  public var imagesPerSecond: Double
  /// Seconds of the whole evaluation, reading included.
  public var seconds: Double
  /// What lies beside the images and was left out.
  public var leftOut: [LeftOut.Group] = []
  /// Things about the images that are allowed but probably not meant, such as absent classes.
  public var warnings: [String] = []

  private enum CodingKeys: String, CodingKey {
    case scores, intervals, division, imagesPerSecond, seconds, leftOut, warnings
  }

  /// Writes everything but the tables and charts, which repeat the details, and single images.
  public func encode(to encoder: any Encoder) throws {
    try details.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(scores, forKey: .scores)
    try container.encodeIfPresent(intervals, forKey: .intervals)
    try container.encodeIfPresent(division, forKey: .division)
    try container.encode(imagesPerSecond, forKey: .imagesPerSecond)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(leftOut, forKey: .leftOut)
    try container.encode(warnings, forKey: .warnings)
  }
}

/// One image of an evaluation, and what was said about it.
public struct JudgedImage: Sendable, Hashable {
  /// Its place in the data set.
  public var index: Int
  /// What the data set calls it.
  public var name: String
  /// What was said, and what is true.
  public var verdict: ImageVerdict
}
