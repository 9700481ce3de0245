// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// max(x, 0).
  public func relu() throws(TorchError) -> Tensor {
    try unary(CT_RELU)
  }

  /// min(max(x, 0), 6).
  public func relu6() throws(TorchError) -> Tensor {
    try unary(CT_RELU6)
  }

  /// x · sigmoid(x), the paper's "swish".
  public func silu() throws(TorchError) -> Tensor {
    try unary(CT_SILU)
  }

  /// x · min(max(x + 3, 0), 6) / 6.
  public func hardSwish() throws(TorchError) -> Tensor {
    try unary(CT_HARDSWISH)
  }

  /// 1 / (1 + e^−x).
  public func sigmoid() throws(TorchError) -> Tensor {
    try unary(CT_SIGMOID)
  }

  /// min(max(x + 3, 0), 6) / 6.
  public func hardSigmoid() throws(TorchError) -> Tensor {
    try unary(CT_HARDSIGMOID)
  }

  /// The hyperbolic tangents.
  public func tanh() throws(TorchError) -> Tensor {
    try unary(CT_TANH)
  }

  /// x · Φ(x), exact.
  public func gelu() throws(TorchError) -> Tensor {
    try unary(CT_GELU)
  }

  /// log(1 + e^x).
  public func softplus() throws(TorchError) -> Tensor {
    try unary(CT_SOFTPLUS)
  }

  /// Probabilities along a dimension.
  public func softmax(_ dimension: Int) throws(TorchError) -> Tensor {
    try make { ct_softmax(handle, Int64(dimension), false, $0) }
  }

  /// Logarithms of the probabilities along a dimension.
  public func logSoftmax(_ dimension: Int) throws(TorchError) -> Tensor {
    try make { ct_softmax(handle, Int64(dimension), true, $0) }
  }
}
