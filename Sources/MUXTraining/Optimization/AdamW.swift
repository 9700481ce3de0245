// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// Adam with decoupled weight decay, as `torch.optim.AdamW`.
public final class AdamW: Optimizer {
  private let settings: OptimizerConfiguration
  private let groups: [ParameterGroup]
  private let averages: [[NamedTensor]]
  private let squares: [[NamedTensor]]

  /// Updates done so far.
  public var updates = 0
  /// The updates before parameters that rested at first.
  public var lateStart: Int?
  /// The mean gradients, then the mean squares.
  public var buffers: [NamedTensor] { averages.flatMap { $0 } + squares.flatMap { $0 } }

  /// Makes the optimizer; of the settings, those of other kinds are ignored.
  public init(
    _ settings: OptimizerConfiguration, _ parameters: [NamedTensor],
    rates: ParameterRates = ParameterRates()
  ) throws(TorchError) {
    self.settings = settings
    groups = settings.groups(parameters, rates)
    var averages: [[NamedTensor]] = []
    var squares: [[NamedTensor]] = []
    for group in groups {
      averages.append(try group.makeBuffers("average"))
      squares.append(try group.makeBuffers("square"))
    }
    self.averages = averages
    self.squares = squares
  }

  /// Updates all parameters that have a gradient.
  public func step(learningRate: Double) throws(TorchError) {
    for (index, group) in groups.enumerated() {
      try ParameterList.stepAdamW(
        group.tensors, averages: averages[index].map(\.tensor),
        squares: squares[index].map(\.tensor), step: updates + 1 - group.updatesBefore(lateStart),
        rate: learningRate * group.rateFactor,
        beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.resolvedEpsilon,
        decay: group.weightDecay)
    }
    updates += 1
  }
}
