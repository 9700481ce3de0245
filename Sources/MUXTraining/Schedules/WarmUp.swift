// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A linear rise of the learning rate at the start of a run.
///
/// The paper warms up from 0 over 5 epochs, step by step; timm warms up from a small rate and
/// changes it once per epoch.
public struct WarmUp: Codable, Hashable, Sendable {
  /// Length in epochs; 0 means none.
  public var epochs: Double = 0
  /// Length as a share of the run, 0…0.9; the longer of this and `epochs` counts. 0 by default.
  public var fraction: Double = 0
  /// The rate at the first step.
  public var from: Double = 0
  /// Whether the rate moves with every step or once per epoch.
  public var interval: LearningRateSchedule.Interval = .step
  /// Whether the decay starts counting where the warm-up ends (`true`) or at step 0 (`false`, as
  /// in the paper and in timm).
  public var delaysDecay: Bool = false

  /// Makes a warm-up of `epochs` epochs from the rate `from`.
  public init(
    epochs: Double = 0, from: Double = 0, interval: LearningRateSchedule.Interval = .step,
    delaysDecay: Bool = false, fraction: Double = 0
  ) {
    self.epochs = epochs
    self.fraction = fraction
    self.from = from
    self.interval = interval
    self.delaysDecay = delaysDecay
  }

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  func length(of run: Int) -> Double { max(epochs, fraction * Double(run)) }
}
