// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// What becomes of the losses of single samples (or elements).
public enum LossReduction: Int32, Sendable {
  /// They are kept.
  case none = 0
  /// The mean over all elements.
  case mean = 1
  /// The sum over all elements.
  case sum = 2
}

extension Tensor {
  /// Cross entropy of logits [N, classes, …].
  ///
  /// - Parameters:
  ///   - target: class numbers [N, …] of `int64`, or probabilities shaped as the logits.
  ///   - classWeights: a factor per class.
  ///   - smoothing: the share of the target that is spread evenly over all classes.
  ///   - reduction: what becomes of the samples' losses.
  ///   - ignored: samples of this class number do not count.
  public func crossEntropy(
    _ target: Tensor, classWeights: Tensor? = nil, smoothing: Double = 0,
    reduction: LossReduction = .mean, ignored: Int = -100
  ) throws(TorchError) -> Tensor {
    try make {
      ct_cross_entropy(
        handle, target.handle, classWeights?.handle, reduction.rawValue, Int64(ignored), smoothing,
        $0)
    }
  }

  /// Binary cross entropy of logits with targets in [0, 1] of the same shape.
  ///
  /// - Parameters:
  ///   - target: numbers in [0, 1] of the logits' shape.
  ///   - weight: a factor per element.
  ///   - positiveWeight: a factor per class for the positive part.
  ///   - reduction: what becomes of the elements' losses.
  public func binaryCrossEntropy(
    _ target: Tensor, weight: Tensor? = nil, positiveWeight: Tensor? = nil,
    reduction: LossReduction = .mean
  ) throws(TorchError) -> Tensor {
    try make {
      ct_bce_with_logits(
        handle, target.handle, weight?.handle, positiveWeight?.handle, reduction.rawValue, $0)
    }
  }

  /// Squared differences below `beta` (halved and divided by it), absolute ones above.
  public func smoothL1(
    _ target: Tensor, beta: Double = 1, reduction: LossReduction = .mean
  ) throws(TorchError) -> Tensor {
    try make { ct_smooth_l1(handle, target.handle, reduction.rawValue, beta, $0) }
  }

  /// Squared differences.
  public func squaredError(
    _ target: Tensor, reduction: LossReduction = .mean
  ) throws(TorchError) -> Tensor {
    try make { ct_mse(handle, target.handle, reduction.rawValue, $0) }
  }

  /// Kullback–Leibler divergence of the probabilities `target` from these log-probabilities.
  public func klDivergence(
    _ target: Tensor, reduction: LossReduction = .mean
  ) throws(TorchError) -> Tensor {
    try make { ct_kl_divergence(handle, target.handle, reduction.rawValue, $0) }
  }
}
