// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// RMSProp in PyTorch's form and in TensorFlow 1's, which the paper's sources use.
///
/// The latter differs in three points: the mean square v starts at 1 and not at 0; epsilon is added
/// under the root, √(v + ε), and not to it; and the learning rate enters the momentum buffer,
/// b ← momentum·b + rate·g/√(v + ε); w ← w − b, so that a change of rate takes effect slowly.
public final class RMSProp: Optimizer {
  private let settings: OptimizerConfiguration
  private let groups: [ParameterGroup]
  private let squares: [[NamedTensor]]
  private let momenta: [[NamedTensor]]

  /// Updates done so far.
  public var updates = 0
  /// The updates before parameters that rested at first.
  public var lateStart: Int?
  /// The mean squares, then the momentum buffers.
  public var buffers: [NamedTensor] { squares.flatMap { $0 } + momenta.flatMap { $0 } }

  /// Makes the optimizer; of the settings, those of other kinds are ignored.
  public init(
    _ settings: OptimizerConfiguration, _ parameters: [NamedTensor],
    rates: ParameterRates = ParameterRates()
  ) throws(TorchError) {
    self.settings = settings
    groups = settings.groups(parameters, rates)
    var squares: [[NamedTensor]] = []
    var momenta: [[NamedTensor]] = []
    for group in groups {
      squares.append(
        try group.makeBuffers("square", value: settings.kind == .rmspropTensorFlow ? 1 : 0))
      momenta.append(settings.momentum > 0 ? try group.makeBuffers("momentum") : [])
    }
    self.squares = squares
    self.momenta = momenta
  }

  /// Updates all parameters that have a gradient.
  public func step(learningRate: Double) throws(TorchError) {
    for (index, group) in groups.enumerated() {
      try ParameterList.stepRMSProp(
        group.tensors, squares: squares[index].map(\.tensor),
        momenta: momenta[index].map(\.tensor), rate: learningRate * group.rateFactor,
        alpha: settings.squareDecay,
        epsilon: settings.resolvedEpsilon, momentum: settings.momentum, decay: group.weightDecay,
        tensorflow: settings.kind == .rmspropTensorFlow)
    }
    updates += 1
  }
}
