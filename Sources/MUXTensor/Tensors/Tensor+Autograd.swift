// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// Whether operations on the tensor are recorded for `backward`.
  public var requiresGrad: Bool { ct_requires_grad(handle) }

  /// Whether gradients accumulate here, not further back.
  public var isLeaf: Bool { ct_is_leaf(handle) }

  /// Switches the recording on a leaf on or off; returns the tensor.
  @discardableResult
  public func setRequiresGrad(_ value: Bool = true) throws(TorchError) -> Tensor {
    try succeed(ct_set_requires_grad(handle, value))
    return self
  }

  /// The same memory without the record of how it came about.
  public func detach() throws(TorchError) -> Tensor {
    try make { ct_detach(handle, $0) }
  }

  /// The gradient that `backward` has accumulated, if any.
  public func grad() throws(TorchError) -> Tensor? {
    var gradient: ct_tensor?
    try succeed(ct_grad(handle, &gradient))
    return gradient.map { Tensor(handle: $0) }
  }

  /// Sets the accumulated gradient, or removes it.
  public func setGrad(_ gradient: Tensor?) throws(TorchError) {
    try succeed(ct_set_grad(handle, gradient?.handle))
  }

  /// Adds to the gradients of all leaves what they contribute to this tensor.
  ///
  /// - Parameters:
  ///   - gradient: the gradient of the loss here; may be left out for one element.
  ///   - retain: keeps the record for a second pass.
  public func backward(
    _ gradient: Tensor? = nil, retain: Bool = false
  ) throws(TorchError) {
    try succeed(ct_backward(handle, gradient?.handle, retain))
  }

  /// Gradients of some tensors with respect to others, accumulated nowhere; nil where there is no
  /// way from one to the other.
  public static func gradients(
    of outputs: [Tensor], outputGradients: [Tensor]? = nil, with inputs: [Tensor],
    retain: Bool = false
  ) throws(TorchError) -> [Tensor?] {
    if let outputGradients, outputGradients.count != outputs.count {
      throw .listLength(
        "output gradients", expected: outputs.count, actual: outputGradients.count)
    }
    var found = [ct_tensor?](repeating: nil, count: inputs.count)
    let text = withHandles(outputs) { outputs, outputsCount in
      withHandles(outputGradients ?? []) { gradients, gradientsCount in
        withHandles(inputs) { inputs, inputsCount in
          ct_gradients(
            outputs, gradientsCount > 0 ? gradients : nil, outputsCount, inputs, inputsCount,
            retain, &found)
        }
      }
    }
    try succeed(text)
    return found.map { $0.map { Tensor(handle: $0) } }
  }
}

/// Runs the body without recording operations for gradients.
///
/// The mode belongs to the thread, so the body cannot suspend.
public func withoutGradient<Result, Failure: Error>(
  _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  try withGradient(false, body)
}

/// Runs the body with the recording of operations switched on or off.
public func withGradient<Result, Failure: Error>(
  _ enabled: Bool, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
  let before = ct_grad_enabled()
  ct_set_grad_enabled(enabled)
  defer { ct_set_grad_enabled(before) }
  return try body()
}

/// Whether operations on this thread are being recorded for gradients.
public var isGradientEnabled: Bool { ct_grad_enabled() }
