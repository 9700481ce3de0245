// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// Stochastic gradient descent with momentum, as `torch.optim.SGD`.
///
/// g ← g + decay·w; b ← momentum·b + (1 − dampening)·g (b = g at first); w ← w − rate·b, or
/// w − rate·(g + momentum·b) in Nesterov's form.
public final class SGD: Optimizer {
  private let settings: OptimizerConfiguration
  private let groups: [ParameterGroup]
  private let momenta: [[NamedTensor]]

  /// Updates done so far.
  public var updates = 0
  /// The updates before parameters that rested at first.
  public var lateStart: Int?
  /// The momenta of all groups, in the order of the groups.
  public var buffers: [NamedTensor] { momenta.flatMap { $0 } }

  /// Makes the optimizer; of the settings, those of other kinds are ignored.
  public init(
    _ settings: OptimizerConfiguration, _ parameters: [NamedTensor],
    rates: ParameterRates = ParameterRates()
  ) throws(TorchError) {
    self.settings = settings
    groups = settings.groups(parameters, rates)
    var momenta: [[NamedTensor]] = []
    for group in groups {
      momenta.append(settings.momentum > 0 ? try group.makeBuffers("momentum") : [])
    }
    self.momenta = momenta
  }

  /// Updates all parameters that have a gradient.
  public func step(learningRate: Double) throws(TorchError) {
    for (group, momenta) in zip(groups, momenta) {
      try ParameterList.stepSGD(
        group.tensors, momenta: momenta.map(\.tensor), rate: learningRate * group.rateFactor,
        momentum: settings.momentum, dampening: settings.dampening, decay: group.weightDecay,
        nesterov: settings.nesterov, first: updates == group.updatesBefore(lateStart))
    }
    updates += 1
  }
}
