// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A number in a file of weights that no network can compute with: the file, the tensor and the
/// reason.
public struct TensorValueError: Error, Sendable, Hashable {
  /// What is wrong with the tensor.
  public enum Reason: Sendable, Hashable {
    /// Values that are infinite or not a number: how many of all, and the first.
    case notFinite(count: Int, of: Int, first: Int, value: String)
    /// Values that are finite, but beyond the range of another element type.
    case overflow(count: Int, type: ElementType, first: Int, value: String)
    /// A batch norm's variance below zero.
    case negativeVariance(count: Int, first: Int, value: String)
    /// A batch norm whose factors or offsets leave single precision.
    case normalization(channel: Int)
    /// A weight that leaves the range of a precision once the batch norm after it is multiplied in.
    case packing(precision: String)
  }

  /// The file, if the tensor came from one.
  public var path: String?
  /// The name of the tensor.
  public var tensor: String
  /// What is wrong with it.
  public var reason: Reason

  /// An error from its parts.
  public init(path: String?, tensor: String, reason: Reason) {
    self.path = path
    self.tensor = tensor
    self.reason = reason
  }
}

extension TensorValueError: DescribedError {
  /// One line: what is wrong, where and how to fix it.
  public var description: String {
    (path.map { "\($0): " } ?? "") + "tensor “\(tensor)” " + text
  }

  private var text: String {
    switch reason {
    case .notFinite(let count, let all, let first, let value):
      "has \(count) of \(all) values that are infinite or not a number (the first: \(value) at"
        + " place \(first)); take weights from before that happened"
    case .overflow(let count, let type, let first, let value):
      "has \(count) value\(count == 1 ? "" : "s") beyond the range of \(type.rawValue) (the first:"
        + " \(value) at place \(first)); keep a wider element type"
    case .negativeVariance(let count, let first, let value):
      "has \(count) variance\(count == 1 ? "" : "s") below zero (the first: \(value) in channel"
        + " \(first)), which no images give; is it the right tensor?"
    case .normalization(let channel):
      "gives channel \(channel) of its batch norm a factor or an offset beyond single precision;"
        + " check the batch norm's variance and weight there"
    case .packing(let precision):
      "leaves the range of \(precision) once the batch norm after it is multiplied in; pack it in"
        + " another precision, or check the weights"
    }
  }
}

extension ArchivedTensor {
  /// Whether no element is infinite or not a number; true for integers.
  public var isFinite: Bool {
    switch elementType {
    case .float32: hasNoFullExponent(UInt32.self, exponent: 0x7f80_0000, step: 0x0080_0000)
    case .float64:
      hasNoFullExponent(
        UInt64.self, exponent: 0x7ff0_0000_0000_0000, step: 0x0010_0000_0000_0000)
    case .float16: hasNoFullExponent(UInt16.self, exponent: 0x7c00, step: 0x0400)
    case .bfloat16: hasNoFullExponent(UInt16.self, exponent: 0x7f80, step: 0x0080)
    case .int64, .int32, .int16, .int8, .uint8, .bool: true
    }
  }

  /// Whether the exponent of each element has a bit that is not set. One more in the lowest bit of
  /// a full exponent carries into the sign's place, so that the loop has no branch.
  private func hasNoFullExponent<Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ type: Bits.Type, exponent: Bits, step: Bits
  ) -> Bool {
    let size = MemoryLayout<Bits>.size
    return bytes.withUnsafeBytes { bytes in
      var carried: Bits = 0
      for index in 0..<bytes.count / size {
        let bits = bytes.loadUnaligned(fromByteOffset: index * size, as: Bits.self)
        carried |= (bits & exponent) &+ step
      }
      return carried >> (Bits.bitWidth - 1) == 0
    }
  }

  /// What is wrong with the numbers, if any is infinite or not a number; nil for sound ones.
  public var nonFiniteReason: TensorValueError.Reason? {
    guard !isFinite else { return nil }
    let values = doubles
    let bad = values.indices.filter { !values[$0].isFinite }
    guard let first = bad.first else { return nil }
    return .notFinite(
      count: bad.count, of: values.count, first: first, value: "\(values[first])")
  }

  /// The elements in double precision, which holds all floating-point types exactly.
  private var doubles: [Double] {
    guard elementType == .float64 else { return floats.map { Double($0) } }
    return bytes.withUnsafeBytes { bytes in
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
    }
  }

  /// This tensor in another floating-point type.
  ///
  /// - Throws: The reason where a finite element would become infinite.
  public func narrowed(to type: ElementType) throws(TensorValueError.Reason) -> ArchivedTensor {
    let result = converted(to: type)
    guard !result.isFinite, isFinite else { return result }
    let values = result.floats, own = doubles
    let bad = values.indices.filter { !values[$0].isFinite && own[$0].isFinite }
    guard let first = bad.first else { return result }
    throw .overflow(count: bad.count, type: type, first: first, value: "\(own[first])")
  }

  /// The rows (along the first dimension; elements of a tensor of one dimension) that hold numbers
  /// other than 0 here, but nothing than zeros in `other`, a tensor of the same shape.
  public func rowsThatVanish(in other: ArchivedTensor) -> Int {
    let rows = shape.first ?? 1
    guard rows > 0, count > 0, other.shape == shape else { return 0 }
    let values = floats, others = other.floats, width = values.count / rows
    return (0..<rows).count { row in
      let own = row * width..<(row + 1) * width
      return values[own].contains { $0 != 0 } && others[own].allSatisfy { $0 == 0 }
    }
  }
}

extension TensorValueError.Reason: Error {}

extension TensorArchive {
  /// The same tensors with all floating-point ones in one element type.
  ///
  /// - Parameters:
  ///   - type: The element type.
  ///   - path: Where the tensors come from, for messages.
  /// - Throws: ``TensorValueError`` for a number that the type cannot hold.
  public func convertingFloatingPoint(
    to type: ElementType, path: String? = nil
  ) throws(TensorValueError) -> TensorArchive {
    var result = self
    for (name, tensor) in self where tensor.elementType.isFloatingPoint {
      do { result[name] = try tensor.narrowed(to: type) } catch {
        throw TensorValueError(path: path, tensor: name, reason: error)
      }
    }
    return result
  }
}
