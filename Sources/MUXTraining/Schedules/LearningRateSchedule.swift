// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// The learning rate as a function of the step: a warm-up followed by a decay.
///
/// One flat value holds the settings of every shape, so that a configuration file can change the
/// shape alone; settings of other shapes are ignored.
///
/// The paper's ImageNet schedule (section 5) is
/// `LearningRateSchedule(shape: .step, interval: .epoch, decayEpochs: 3, decayRate: 0.97,
/// warmUp: WarmUp(epochs: 5))` with the base rate 0.016: 0.016·step/(5·stepsPerEpoch) in the first
/// five epochs, then 0.016·0.97^⌊epoch/3⌋ with epochs counted from the start of the run.
public struct LearningRateSchedule: Codable, Hashable, Sendable {
  /// The decay's form.
  public enum Shape: String, Codable, CaseIterable, Sendable {
    /// The base rate throughout.
    case constant
    /// Times `decayRate` every `decayEpochs`.
    case step
    /// Times `decayRate` at each of `milestones`.
    case multistep
    /// Half a cosine from the base rate to `finalRate`.
    case cosine
    /// (1 − t)^`power` from the base rate to `finalRate`.
    case polynomial
    /// Up from base/`startDivisor` to the base rate, then down to that start over `endDivisor`,
    /// both as half cosines (as `OneCycleLR` of PyTorch).
    case oneCycle
  }

  /// How often the rate moves.
  public enum Interval: String, Codable, CaseIterable, Sendable {
    /// With every optimizer step.
    case step
    /// Once per epoch, at its start.
    case epoch
  }

  /// The decay's form.
  public var shape: Shape = .cosine
  /// How often the decay moves; the warm-up has its own.
  public var interval: Interval = .step
  /// Epochs between two decays of shape `step`.
  public var decayEpochs: Double = 30
  /// The factor of shapes `step` and `multistep`.
  public var decayRate: Double = 0.1
  /// The epochs at which shape `multistep` decays, ascending.
  public var milestones: [Double] = []
  /// The exponent of shape `polynomial`; 1 is a straight line.
  public var power: Double = 1
  /// The rate at the end of shapes `cosine` and `polynomial`.
  public var finalRate: Double = 0
  /// The share of the run in which shape `oneCycle` rises.
  public var riseFraction: Double = 0.3
  /// Base rate over the first rate of shape `oneCycle`.
  public var startDivisor: Double = 25
  /// First rate over the last rate of shape `oneCycle`.
  public var endDivisor: Double = 10_000
  /// The linear rise at the start.
  public var warmUp = WarmUp()

  /// Makes a schedule; settings not given keep their defaults.
  public init(
    shape: Shape = .cosine, interval: Interval = .step, decayEpochs: Double = 30,
    decayRate: Double = 0.1, milestones: [Double] = [], power: Double = 1, finalRate: Double = 0,
    warmUp: WarmUp = WarmUp()
  ) {
    self.shape = shape
    self.interval = interval
    self.decayEpochs = decayEpochs
    self.decayRate = decayRate
    self.milestones = milestones
    self.power = power
    self.finalRate = finalRate
    self.warmUp = warmUp
  }

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }

  /// The rate of optimizer step `step` (counted from 0) of a run that `clock` describes.
  public func rate(step: Int, base: Double, clock: ScheduleClock) -> Double {
    let warm = position(of: step, interval: warmUp.interval, clock: clock)
    let warmEpochs = warmUp.length(of: clock.epochs)
    if warm < warmEpochs {
      return warmUp.from + (base - warmUp.from) * warm / warmEpochs
    }
    if shape == .oneCycle { return oneCycleRate(step: step, base: base, clock: clock) }
    let delay = warmUp.delaysDecay ? warmEpochs : 0
    let time = max(position(of: step, interval: interval, clock: clock) - delay, 0)
    let fraction = min(time / max(Double(clock.epochs) - delay, 1e-12), 1)
    switch shape {
    case .constant, .oneCycle:
      return base
    case .step:
      return base * pow(decayRate, periods(in: time))
    case .multistep:
      return base * pow(decayRate, Double(milestones.count { time >= $0 - Self.rounding }))
    case .cosine:
      return finalRate + (base - finalRate) * (1 + cos(.pi * fraction)) / 2
    case .polynomial:
      return finalRate + (base - finalRate) * pow(1 - fraction, power)
    }
  }

  /// Steps divided by steps per epoch are not exact: 12 epochs must hold five periods of 2.4.
  private static let rounding = 1e-9

  private func periods(in time: Double) -> Double {
    (time / decayEpochs + Self.rounding).rounded(.down)
  }

  /// Epochs done at `step`: a fraction, or whole where the rate moves once per epoch.
  private func position(of step: Int, interval: Interval, clock: ScheduleClock) -> Double {
    switch interval {
    case .step: Double(step) / Double(clock.stepsPerEpoch)
    case .epoch: Double(step / clock.stepsPerEpoch)
    }
  }

  private func oneCycleRate(step: Int, base: Double, clock: ScheduleClock) -> Double {
    let (index, count) =
      interval == .step
      ? (Double(step), Double(clock.totalSteps))
      : (Double(step / clock.stepsPerEpoch), Double(clock.epochs))
    let start = base / startDivisor
    let top = riseFraction * count - 1
    func ease(_ from: Double, _ to: Double, _ fraction: Double) -> Double {
      to + (from - to) / 2 * (1 + cos(.pi * min(max(fraction, 0), 1)))
    }
    if index <= top { return ease(start, base, index / max(top, 1e-12)) }
    return ease(base, start / endDivisor, (index - top) / max(count - 1 - top, 1e-12))
  }
}
