// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Changes of a tensor's own elements. libtorch refuses them where autograd needs the old values.
extension Tensor {
  /// Adds a tensor whose shape can be broadcast to this one's.
  public func addInPlace(_ other: Tensor) throws(TorchError) {
    try binaryInPlace(CT_ADD, other)
  }

  /// Adds a number to every element.
  public func addInPlace(_ value: Double) throws(TorchError) {
    try binaryInPlace(CT_ADD, value)
  }

  /// Subtracts a tensor whose shape can be broadcast to this one's.
  public func subtractInPlace(_ other: Tensor) throws(TorchError) {
    try binaryInPlace(CT_SUB, other)
  }

  /// Subtracts a number from every element.
  public func subtractInPlace(_ value: Double) throws(TorchError) {
    try binaryInPlace(CT_SUB, value)
  }

  /// Multiplies by a tensor, element by element, whose shape can be broadcast to this one's.
  public func multiplyInPlace(_ other: Tensor) throws(TorchError) {
    try binaryInPlace(CT_MUL, other)
  }

  /// Multiplies every element by a number.
  public func multiplyInPlace(_ value: Double) throws(TorchError) {
    try binaryInPlace(CT_MUL, value)
  }

  /// Divides by a tensor.
  public func divideInPlace(_ other: Tensor) throws(TorchError) {
    try binaryInPlace(CT_DIV, other)
  }

  /// Divides by a number.
  public func divideInPlace(_ value: Double) throws(TorchError) {
    try binaryInPlace(CT_DIV, value)
  }

  /// Adds `scale · other`.
  public func addInPlace(_ other: Tensor, scale: Double) throws(TorchError) {
    try succeed(ct_add_scaled_(handle, other.handle, scale))
  }

  /// Keeps each element within the bounds; an infinite bound is none.
  public func clampInPlace(
    low: Double = -.infinity, high: Double = .infinity
  ) throws(TorchError) {
    try succeed(ct_clamp_(handle, low, high))
  }

  /// Sets all elements.
  public func fillInPlace(_ value: Double) throws(TorchError) {
    try succeed(ct_fill_(handle, value))
  }

  /// Sets all elements to zero.
  public func zeroInPlace() throws(TorchError) {
    try fillInPlace(0)
  }

  /// Copies the elements of a tensor of the same shape, converting type and device.
  public func copyInPlace(from source: Tensor) throws(TorchError) {
    try succeed(ct_copy_(handle, source.handle))
  }
}
