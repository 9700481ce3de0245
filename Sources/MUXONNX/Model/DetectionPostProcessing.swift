// SPDX-License-Identifier: Apache-2.0
public import MUXTasks

/// What the file of a detector does beside the network: outputs become boxes inside the model.
///
/// The model then has three outputs instead of two for each map of features: `boxes`, [K, 4], left, top,
/// right and bottom in shares of the input image; `scores`, [K]; `labels`, [K], the numbers of the classes
/// from 0. The best box comes first. They are what `DetectionHead` makes of the same outputs, as far as
/// numbers that are rounded in another order go.
public struct DetectionPostProcessing: Sendable {
  /// The task, its classes and default boxes.
  public var head: DetectionHead
  /// What replaces the thresholds of the task.
  public var settings: DecodingSettings

  /// The names of the outputs.
  public static let outputs = ["boxes", "scores", "labels"]

  /// The post-processing of a detector.
  public init(head: DetectionHead, settings: DecodingSettings = DecodingSettings()) {
    self.head = head
    self.settings = settings
  }

  /// The probability from which on a box is said to be there.
  var threshold: Double { settings.threshold ?? head.task.threshold }
  /// The overlap above which the worse of two boxes goes.
  var overlap: Double { settings.overlap ?? head.task.overlap }
  /// The most boxes.
  var limit: Int { settings.limit ?? head.task.limit }
}
