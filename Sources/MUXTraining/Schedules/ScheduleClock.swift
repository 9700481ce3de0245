// SPDX-License-Identifier: Apache-2.0

/// How long a run is, which turns a step number into a position in the schedule.
public struct ScheduleClock: Hashable, Sendable {
  /// Optimizer steps in one epoch (batches divided by the accumulation, rounded up).
  public var stepsPerEpoch: Int
  /// Epochs of the whole run.
  public var epochs: Int

  /// Makes a clock; both counts are at least one.
  public init(stepsPerEpoch: Int, epochs: Int) {
    precondition(stepsPerEpoch > 0 && epochs > 0, "a schedule needs at least one step and epoch")
    self.stepsPerEpoch = stepsPerEpoch
    self.epochs = epochs
  }

  /// Optimizer steps of the whole run.
  public var totalSteps: Int { stepsPerEpoch * epochs }
}
