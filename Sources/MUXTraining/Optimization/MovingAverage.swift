// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// A moving average of tensors: a ← d·a + (1 − d)·x after each update, where d is the decay of an
/// exponential average, or n/(n + 1) after n updates for the plain mean.
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
    let weight =
      switch configuration.kind {
      case .ema: 1 - configuration.decay(afterUpdates: updates)
      case .swa: 1 / Double(updates + 1)
      }
    try ParameterList.lerp(averages, towards: sources, weight: weight)
    updates += 1
  }

  /// Makes the averages the tensors as they are now.
  func restart() throws(TorchError) {
    try withoutGradient { () throws(TorchError) in
      for (average, source) in zip(averages, sources) { try average.copyInPlace(from: source) }
    }
    updates = 0
  }
}
