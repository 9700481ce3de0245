// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Operations on all parameters of a model in one call: hundreds of small tensors would otherwise
/// cross into C several times each. Parameters without a gradient are left alone.
public enum ParameterList {
  /// Zeroes the gradients, or removes them (which is faster: the next ones need no sum).
  public static func zeroGradients(
    _ parameters: [Tensor], remove: Bool = true
  ) throws(TorchError) {
    try succeed(withHandles(parameters) { ct_zero_grads($0, $1, remove) })
  }

  /// The Euclidean norm of all gradients together; where it exceeds the limit, all are scaled down
  /// to it. A norm that is not finite is returned, and the gradients stay as they are.
  public static func clipGradients(
    _ parameters: [Tensor], norm limit: Double
  ) throws(TorchError) -> Double {
    var norm = 0.0
    try succeed(withHandles(parameters) { ct_clip_grad_norm($0, $1, limit, &norm) })
    return norm
  }

  /// Multiplies all gradients.
  public static func scaleGradients(
    _ parameters: [Tensor], by scale: Double
  ) throws(TorchError) {
    try succeed(withHandles(parameters) { ct_scale_grads($0, $1, scale) })
  }

  /// Whether all gradients are finite.
  public static func gradientsAreFinite(_ parameters: [Tensor]) throws(TorchError) -> Bool {
    var finite = true
    try succeed(withHandles(parameters) { ct_grads_finite($0, $1, &finite) })
    return finite
  }

  /// A step of stochastic gradient descent as PyTorch defines it.
  ///
  /// - Parameters:
  ///   - parameters: the tensors that are changed; those without a gradient stay as they are.
  ///   - momenta: one buffer per parameter, overwritten by the first step; empty without momentum.
  ///   - rate: the learning rate.
  ///   - momentum: the share of a buffer that stays.
  ///   - dampening: the share of a gradient that does not go into its buffer.
  ///   - decay: the factor of the weights that is added to their gradients.
  ///   - nesterov: whether the step looks ahead by one momentum.
  ///   - first: whether this is the first step.
  public static func stepSGD(
    _ parameters: [Tensor], momenta: [Tensor], rate: Double, momentum: Double = 0,
    dampening: Double = 0, decay: Double = 0, nesterov: Bool = false, first: Bool
  ) throws(TorchError) {
    if momentum != 0 { try expect(momenta, "momentum buffers", parameters) }
    let text = withHandles(parameters) { list, count in
      withHandles(momenta) { momenta, _ in
        ct_sgd_step(
          list, momenta, count, rate, momentum, dampening, decay, nesterov, first)
      }
    }
    try succeed(text)
  }

  /// A step of RMSProp.
  ///
  /// - Parameters:
  ///   - parameters: the tensors that are changed; those without a gradient stay as they are.
  ///   - squares: the running means of the squared gradients, one per parameter (PyTorch starts
  ///     them at 0, TensorFlow at 1).
  ///   - momenta: one buffer of zeros per parameter; empty without momentum.
  ///   - rate: the learning rate.
  ///   - alpha: the share of a mean that stays.
  ///   - epsilon: what is added to the root.
  ///   - momentum: the share of a buffer that stays.
  ///   - decay: the factor of the weight decay.
  ///   - decoupled: decay the weights themselves, not through the gradient.
  ///   - tensorflow: ε under the root and the rate inside the momentum.
  public static func stepRMSProp(
    _ parameters: [Tensor], squares: [Tensor], momenta: [Tensor], rate: Double, alpha: Double,
    epsilon: Double, momentum: Double = 0, decay: Double = 0, decoupled: Bool = false,
    tensorflow: Bool
  ) throws(TorchError) {
    try expect(squares, "square averages", parameters)
    if momentum != 0 { try expect(momenta, "momentum buffers", parameters) }
    let text = withHandles(parameters) { list, count in
      withHandles(squares) { squares, _ in
        withHandles(momenta) { momenta, _ in
          ct_rmsprop_step(
            list, squares, momenta, count, rate, alpha, epsilon, momentum, decay, decoupled,
            tensorflow)
        }
      }
    }
    try succeed(text)
  }

  /// A step of Adam with decoupled weight decay; `step` counts from 1, both buffers start at 0.
  public static func stepAdamW(
    _ parameters: [Tensor], averages: [Tensor], squares: [Tensor], step: Int, rate: Double,
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, decay: Double = 0
  ) throws(TorchError) {
    try expect(averages, "averages", parameters)
    try expect(squares, "square averages", parameters)
    let text = withHandles(parameters) { list, count in
      withHandles(averages) { averages, _ in
        withHandles(squares) { squares, _ in
          ct_adamw_step(
            list, averages, squares, count, Int64(step), rate, beta1, beta2, epsilon, decay)
        }
      }
    }
    try succeed(text)
  }

  /// Moves each target towards its source: `target += weight · (source − target)`. Tensors of
  /// whole numbers (batch counters) are copied.
  public static func lerp(
    _ targets: [Tensor], towards sources: [Tensor], weight: Double
  ) throws(TorchError) {
    try expect(sources, "sources", targets)
    let text = withHandles(targets) { targets, count in
      withHandles(sources) { sources, _ in ct_lerp_list(targets, sources, count, weight) }
    }
    try succeed(text)
  }

  private static func expect(
    _ list: [Tensor], _ name: String, _ parameters: [Tensor]
  ) throws(TorchError) {
    guard list.count == parameters.count else {
      throw .listLength(name, expected: parameters.count, actual: list.count)
    }
  }
}
