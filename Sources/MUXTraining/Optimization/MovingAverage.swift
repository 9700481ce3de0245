// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// An exponential moving average of tensors: a ← d·a + (1 − d)·x after each update.
///
/// It covers parameters and the statistics of batch norms alike; whole numbers (batch counts) are
/// copied.
public final class MovingAverage {
  /// How strong the average is.
  public let configuration: AveragingConfiguration
  /// Updates done so far, which drive the ramp of the decay; part of the state.
  public var updates = 0

  private let averages: [Tensor]
  private let sources: [Tensor]

  /// Averages `sources` into `averages`, which start as copies of them.
  public init(
    _ averages: [Tensor], of sources: [Tensor], configuration: AveragingConfiguration
  ) throws(TorchError) {
    precondition(averages.count == sources.count, "an average needs a target for each tensor")
    self.averages = averages
    self.sources = sources
    self.configuration = configuration
    try withoutGradient { () throws(TorchError) in
      for (average, source) in zip(averages, sources) { try average.copyInPlace(from: source) }
    }
  }

  /// Takes note of the tensors as they are now.
  public func update() throws(TorchError) {
    let decay = configuration.decay(afterUpdates: updates)
    try ParameterList.lerp(averages, towards: sources, weight: 1 - decay)
    updates += 1
  }
}
