// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Functions of single elements. Shapes broadcast as in PyTorch.
extension Tensor {
  /// Minus each element.
  public func negated() throws(TorchError) -> Tensor {
    try unary(CT_NEG)
  }

  /// The absolute value of each element.
  public func absolute() throws(TorchError) -> Tensor {
    try unary(CT_ABS)
  }

  /// e to the power of each element.
  public func exp() throws(TorchError) -> Tensor {
    try unary(CT_EXP)
  }

  /// The natural logarithms.
  public func log() throws(TorchError) -> Tensor {
    try unary(CT_LOG)
  }

  /// The square root of each element, NaN below 0.
  public func squareRoot() throws(TorchError) -> Tensor {
    try unary(CT_SQRT)
  }

  /// One over the square roots.
  public func reciprocalSquareRoot() throws(TorchError) -> Tensor {
    try unary(CT_RSQRT)
  }

  /// The square of each element.
  public func squared() throws(TorchError) -> Tensor {
    try unary(CT_SQUARE)
  }

  /// Where the elements are finite, as `bool`.
  public func isFinite() throws(TorchError) -> Tensor {
    try unary(CT_IS_FINITE)
  }

  /// Each element raised to a power.
  public func power(_ exponent: Double) throws(TorchError) -> Tensor {
    try binary(CT_POW, exponent)
  }

  /// Each element kept within the bounds; an infinite bound is none.
  public func clamped(
    low: Double = -.infinity, high: Double = .infinity
  ) throws(TorchError) -> Tensor {
    try make { ct_clamp(handle, low, high, $0) }
  }

  /// The larger of two elements.
  public func maximum(_ other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_MAXIMUM, other)
  }

  /// The smaller of two elements.
  public func minimum(_ other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_MINIMUM, other)
  }

  /// The sums with a scaled tensor: `self + scale · other`.
  public func adding(_ other: Tensor, scale: Double) throws(TorchError) -> Tensor {
    try make { ct_add_scaled(handle, other.handle, scale, $0) }
  }
}

// MARK: Operators

extension Tensor {
  /// Sums, element by element.
  public static func + (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try left.binary(CT_ADD, right)
  }

  /// Sums with one number.
  public static func + (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try left.binary(CT_ADD, right)
  }

  /// Differences, element by element.
  public static func - (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try left.binary(CT_SUB, right)
  }

  /// Differences with one number.
  public static func - (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try left.binary(CT_SUB, right)
  }

  /// Products, element by element.
  public static func * (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try left.binary(CT_MUL, right)
  }

  /// Products with one number.
  public static func * (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try left.binary(CT_MUL, right)
  }

  /// Quotients, element by element.
  public static func / (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try left.binary(CT_DIV, right)
  }

  /// Quotients with one number.
  public static func / (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try left.binary(CT_DIV, right)
  }

  /// Minus each element.
  public static prefix func - (tensor: Tensor) throws(TorchError) -> Tensor {
    try tensor.negated()
  }
}

// MARK: Comparisons

extension Tensor {
  /// Where the elements are equal, as `bool`.
  public func isEqual(to other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_EQ, other)
  }

  /// Where the elements are equal compared with one number, as `bool`.
  public func isEqual(to value: Double) throws(TorchError) -> Tensor {
    try binary(CT_EQ, value)
  }

  /// Where the elements differ, as `bool`.
  public func isDifferent(from other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_NE, other)
  }

  /// Where the elements differ compared with one number, as `bool`.
  public func isDifferent(from value: Double) throws(TorchError) -> Tensor {
    try binary(CT_NE, value)
  }

  /// Where the elements are less, as `bool`.
  public func isLess(than other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_LT, other)
  }

  /// Where the elements are less compared with one number, as `bool`.
  public func isLess(than value: Double) throws(TorchError) -> Tensor {
    try binary(CT_LT, value)
  }

  /// Where the elements are greater, as `bool`.
  public func isGreater(than other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_GT, other)
  }

  /// Where the elements are greater compared with one number, as `bool`.
  public func isGreater(than value: Double) throws(TorchError) -> Tensor {
    try binary(CT_GT, value)
  }

  /// Where the elements are less or equal, as `bool`.
  public func isLessOrEqual(to other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_LE, other)
  }

  /// Where the elements are less or equal compared with one number, as `bool`.
  public func isLessOrEqual(to value: Double) throws(TorchError) -> Tensor {
    try binary(CT_LE, value)
  }

  /// Where the elements are greater or equal, as `bool`.
  public func isGreaterOrEqual(to other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_GE, other)
  }

  /// Where the elements are greater or equal compared with one number, as `bool`.
  public func isGreaterOrEqual(to value: Double) throws(TorchError) -> Tensor {
    try binary(CT_GE, value)
  }

  /// Where both hold, as `bool`.
  public func and(_ other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_AND, other)
  }

  /// Where either holds, as `bool`.
  public func or(_ other: Tensor) throws(TorchError) -> Tensor {
    try binary(CT_OR, other)
  }

  /// Whether type, shape and all elements are equal.
  package func isIdentical(to other: Tensor) throws(TorchError) -> Bool {
    var equal = false
    try succeed(ct_equal(handle, other.handle, &equal))
    return equal
  }
}

// MARK: Dispatch to the shim

extension Tensor {
  func unary(_ operation: ct_unary_operation) throws(TorchError) -> Tensor {
    try make { ct_unary(Int32(operation.rawValue), handle, $0) }
  }

  func binary(_ operation: ct_binary_operation, _ other: Tensor) throws(TorchError) -> Tensor {
    try make { ct_binary(Int32(operation.rawValue), handle, other.handle, $0) }
  }

  func binary(_ operation: ct_binary_operation, _ value: Double) throws(TorchError) -> Tensor {
    try make { ct_binary_scalar(Int32(operation.rawValue), handle, value, $0) }
  }

  func binaryInPlace(
    _ operation: ct_binary_operation, _ other: Tensor
  ) throws(TorchError) {
    try succeed(ct_binary_(Int32(operation.rawValue), handle, other.handle))
  }

  func binaryInPlace(
    _ operation: ct_binary_operation, _ value: Double
  ) throws(TorchError) {
    try succeed(ct_binary_scalar_(Int32(operation.rawValue), handle, value))
  }
}
