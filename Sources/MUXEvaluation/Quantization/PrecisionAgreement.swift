// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXTasks

/// How a model of reduced precision agrees with single precision on images.
public struct PrecisionAgreement: Codable, Hashable, Sendable {
  /// Images compared.
  public var images: Int
  /// What the network decides, such as `top-1`; nil where its task has no decisions that can be counted.
  public var decision: String?
  /// The share of the decisions that are the same, 0…1.
  public var sameDecisions: Double?
  /// The greatest difference of an output.
  public var greatestError: Double
  /// The greatest magnitude of an output in single precision.
  public var greatestOutput: Double
  /// 10 log₁₀ of the outputs' energy over that of their errors, in decibels, −300 … 300.
  public var signalToNoise: Double
  /// The task's scores in single precision; nil where the images' targets are not known.
  public var scoresFloat32: Scores?
  /// The task's scores of the model; nil where the images' targets are not known.
  public var scores: Scores?

  package init(
    images: Int, decisions: DecisionCount?, greatestError: Double, greatestOutput: Double,
    signalToNoise: Double, scoresFloat32: Scores? = nil, scores: Scores? = nil
  ) {
    self.images = images
    decision = decisions?.name
    sameDecisions = decisions.map { Double($0.same) / Double(max($0.total, 1)) }
    self.greatestError = greatestError
    self.greatestOutput = greatestOutput
    self.signalToNoise = signalToNoise
    self.scoresFloat32 = scoresFloat32
    self.scores = scores
  }
}
