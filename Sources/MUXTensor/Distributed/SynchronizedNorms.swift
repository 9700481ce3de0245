// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Batch norms that take their statistics over the images of all processes.
public enum SynchronizedNorms {
  /// Whether batch norms do so at present.
  public static var isOn: Bool { ct_has_norm_group() }

  /// Runs a body in which the batch norms of this process, in training, share their statistics with those
  /// of the others. All processes run the same network on as many batches.
  ///
  /// - Parameters:
  ///   - group: The processes; with a single one nothing changes.
  ///   - body: What runs.
  public static func with<Result, Failure: Error>(
    _ group: ProcessGroup, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard group.handle != nil else { return try body() }
    ct_set_norm_group(group.handle)
    defer { ct_set_norm_group(nil) }
    return try body()
  }
}

extension Tensor {
  /// Batch norm in training by the statistics over all processes of ``SynchronizedNorms``.
  ///
  /// - Parameters:
  ///   - weight: The scale of each channel.
  ///   - bias: The shift of each channel.
  ///   - runningMean: Moves towards the mean.
  ///   - runningVariance: Moves towards the unbiased variance.
  ///   - momentum: How far both move.
  ///   - epsilon: What is added to the variance.
  public func synchronizedBatchNorm(
    weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
    momentum: Double = 0.1, epsilon: Double = 1e-5
  ) throws(TorchError) -> Tensor {
    try make {
      ct_synchronized_batch_norm(
        handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle, momentum,
        epsilon, $0)
    }
  }
}
