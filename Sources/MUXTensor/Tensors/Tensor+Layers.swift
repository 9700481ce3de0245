// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// A convolution of [N, C, H, W] with weights [outC, C / groups, kH, kW].
  ///
  /// Stride, padding (with zeros, on both sides) and dilation are (height, width).
  public func conv2d(
    weight: Tensor, bias: Tensor? = nil, stride: (Int, Int) = (1, 1),
    padding: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1
  ) throws(TorchError) -> Tensor {
    let window = ct_window(
      kernel: (0, 0), stride: pair(stride), padding: pair(padding), dilation: pair(dilation))
    return try make {
      ct_conv2d(handle, weight.handle, bias?.handle, window, Int64(groups), $0)
    }
  }

  /// `self · weightᵀ + bias`, with weights [out, in].
  public func linear(weight: Tensor, bias: Tensor? = nil) throws(TorchError) -> Tensor {
    try make { ct_linear(handle, weight.handle, bias?.handle, $0) }
  }

  /// Batch normalisation over dimension 1.
  ///
  /// With `training`, the batch's own mean and variance are used, and the running ones move towards
  /// them in place by `momentum` (PyTorch's convention); otherwise the running ones are used.
  public func batchNorm(
    weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?,
    training: Bool, momentum: Double = 0.1, epsilon: Double = 1e-5
  ) throws(TorchError) -> Tensor {
    try make {
      ct_batch_norm(
        handle, weight?.handle, bias?.handle, runningMean?.handle, runningVariance?.handle,
        training, momentum, epsilon, $0)
    }
  }

  /// The largest element of each window; padding counts as −∞.
  public func maxPool2d(
    kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int) = (0, 0),
    dilation: (Int, Int) = (1, 1), ceilMode: Bool = false
  ) throws(TorchError) -> Tensor {
    let window = ct_window(
      kernel: pair(kernel), stride: pair(stride), padding: pair(padding), dilation: pair(dilation))
    return try make { ct_max_pool2d(handle, window, ceilMode, $0) }
  }

  /// The mean of each window; padding counts as zeros unless `countPadding` is false.
  public func avgPool2d(
    kernel: (Int, Int), stride: (Int, Int), padding: (Int, Int) = (0, 0),
    ceilMode: Bool = false, countPadding: Bool = true
  ) throws(TorchError) -> Tensor {
    let window = ct_window(
      kernel: pair(kernel), stride: pair(stride), padding: pair(padding), dilation: (1, 1))
    return try make { ct_avg_pool2d(handle, window, ceilMode, countPadding, $0) }
  }

  /// Means over a grid of `height` × `width` windows that cover the image.
  public func adaptiveAvgPool2d(height: Int = 1, width: Int = 1) throws(TorchError) -> Tensor {
    try make { ct_adaptive_avg_pool2d(handle, Int64(height), Int64(width), $0) }
  }

  /// Zeroes each element with the probability and scales the others by 1 / (1 − probability).
  public func dropout(
    probability: Double, generator: TorchGenerator
  ) throws(TorchError) -> Tensor {
    try make { ct_dropout(handle, probability, generator.handle, $0) }
  }

  /// How `resized` interpolates.
  public enum Interpolation: Int32, Sendable {
    /// The nearest pixel.
    case nearest = 0
    /// Linear in both directions.
    case bilinear = 1
    /// Cubic in both directions.
    case bicubic = 2
  }

  /// The image [N, C, H, W] at another size; `antialias` widens the filter when shrinking.
  public func resized(
    height: Int, width: Int, _ interpolation: Interpolation, alignCorners: Bool = false,
    antialias: Bool = false
  ) throws(TorchError) -> Tensor {
    try make {
      ct_upsample(
        handle, Int64(height), Int64(width), interpolation.rawValue, alignCorners, antialias, $0)
    }
  }
}

private func pair(_ values: (Int, Int)) -> (Int64, Int64) { (Int64(values.0), Int64(values.1)) }
