// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A tensor as a file holds it: element type, shape and raw bytes, row-major and little-endian.
public struct ArchivedTensor: Sendable {
  /// The type of the elements.
  public let elementType: ElementType
  /// The shape, outermost dimension first; empty for a scalar.
  public let shape: [Int]
  /// The elements, row-major and little-endian, not necessarily aligned.
  public let bytes: ByteRegion

  /// The number of elements: the product of the shape, 1 for a scalar.
  public var count: Int { bytes.count / elementType.byteCount }

  /// A tensor over raw bytes, whose count must be that of the shape.
  public init(elementType: ElementType, shape: [Int], bytes: ByteRegion) {
    precondition(
      elementType.byteCount(ofShape: shape) == bytes.count,
      "\(bytes.count) bytes cannot be a \(elementType.rawValue) tensor of shape \(shape)")
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  /// A single-precision tensor; the number of values must be that of the shape.
  public init(_ values: [Float], shape: [Int]) {
    self.init(
      elementType: .float32, shape: shape, bytes: ByteRegion(copyingMemoryOf: values))
  }

  /// An integer tensor; the number of values must be that of the shape.
  public init(integers values: [Int64], shape: [Int]) {
    self.init(elementType: .int64, shape: shape, bytes: ByteRegion(copyingMemoryOf: values))
  }

  /// The elements as single-precision numbers, converted where the file holds another type.
  public var floats: [Float] {
    switch elementType {
    case .float32: values(Float.self)
    case .float64: values(Double.self).map { Float($0) }
    case .float16: values(UInt16.self).map { Float(halfPrecisionBits: $0) }
    case .bfloat16: values(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .int64, .int32, .int16, .int8, .uint8, .bool: integers.map { Float($0) }
    }
  }

  /// The elements as integers. Only for integer and Boolean tensors; others are truncated towards
  /// zero, and what does not fit becomes the nearest representable value.
  public var integers: [Int64] {
    switch elementType {
    case .int64: values(Int64.self)
    case .int32: values(Int32.self).map { Int64($0) }
    case .int16: values(Int16.self).map { Int64($0) }
    case .int8: values(Int8.self).map { Int64($0) }
    case .uint8, .bool: values(UInt8.self).map { Int64($0) }
    case .float64, .float32, .float16, .bfloat16:
      floats.map { Int64(exactly: $0.rounded(.towardZero)) ?? ($0 > 0 ? .max : $0 < 0 ? .min : 0) }
    }
  }

  /// This tensor in single precision; the tensor itself if it is that already.
  public func converted(to elementType: ElementType) -> ArchivedTensor {
    guard elementType != self.elementType else { return self }
    switch elementType {
    case .float32: return ArchivedTensor(floats, shape: shape)
    case .int64: return ArchivedTensor(integers: integers, shape: shape)
    case .float64:
      return ArchivedTensor(
        elementType: .float64, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: floats.map { Double($0) }))
    case .float16:
      return ArchivedTensor(
        elementType: .float16, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: floats.map { $0.halfPrecisionBits }))
    case .bfloat16:
      return ArchivedTensor(
        elementType: .bfloat16, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: floats.map { $0.bfloat16Bits }))
    case .int32:
      return ArchivedTensor(
        elementType: .int32, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: integers.map { Int32(clamping: $0) }))
    case .int16:
      return ArchivedTensor(
        elementType: .int16, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: integers.map { Int16(clamping: $0) }))
    case .int8:
      return ArchivedTensor(
        elementType: .int8, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: integers.map { Int8(clamping: $0) }))
    case .uint8:
      return ArchivedTensor(
        elementType: .uint8, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: integers.map { UInt8(clamping: $0) }))
    case .bool:
      return ArchivedTensor(
        elementType: .bool, shape: shape,
        bytes: ByteRegion(copyingMemoryOf: floats.map { $0 == 0 ? UInt8(0) : 1 }))
    }
  }

  /// Copies the elements out; a copy because a file's bytes need not be aligned.
  private func values<Value: BitwiseCopyable>(_ type: Value.Type) -> [Value] {
    let count = self.count
    return [Value](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      bytes.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: source)
      }
      initializedCount = count
    }
  }
}
