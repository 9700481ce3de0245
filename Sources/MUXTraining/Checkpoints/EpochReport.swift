// SPDX-License-Identifier: Apache-2.0
public import MUXTasks

/// What one epoch of a run brought: a row of `summary.csv`.
public struct EpochReport: Codable, Hashable, Sendable {
  /// The epoch, counted from 1.
  public var epoch: Int
  /// Optimizer steps done since the start of the run.
  public var step: Int
  /// The learning rate of the epoch's last step.
  public var learningRate: Double
  /// Mean training loss over the epoch's images (with label smoothing and mixing, if any).
  public var trainingLoss: Double
  /// The evaluation after the epoch; `nil` where it was not due.
  public var validation: Scores?
  /// The same evaluation with the weights as they are, where averaged weights are kept too (then
  /// `validation` is that of the averaged ones).
  public var rawValidation: Scores?
  /// Training images per second, evaluation not counted.
  public var imagesPerSecond: Double
  /// Share of the training time spent waiting for data.
  public var dataWait: Double
  /// Seconds since the start of the run, earlier parts of a resumed run included.
  public var seconds: Double
  /// Whether the ranked metric was the best so far.
  public var isBest: Bool
}
