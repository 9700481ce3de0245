// SPDX-License-Identifier: Apache-2.0

/// The type of a tensor's elements. Raw values are libtorch's own numbers.
public enum DType: Int32, Sendable, CaseIterable, CustomStringConvertible {
  /// 8-bit unsigned integer.
  case uint8 = 0
  /// 8-bit signed integer.
  case int8 = 1
  /// 16-bit signed integer.
  case int16 = 2
  /// 32-bit signed integer.
  case int32 = 3
  /// 64-bit signed integer.
  case int64 = 4
  /// IEEE half precision.
  case float16 = 5
  /// IEEE single precision.
  case float32 = 6
  /// IEEE double precision.
  case float64 = 7
  /// True or false, one byte each.
  case bool = 11
  /// The upper half of a single-precision number.
  case bfloat16 = 15

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether the elements are of floating point (of any width).
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64, .bfloat16: true
    default: false
    }
  }

  /// The name as PyTorch writes it, without `torch.`.
  public var description: String {
    switch self {
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .bool: "bool"
    case .bfloat16: "bfloat16"
    }
  }

  /// The type of that name (`float32`, `bfloat16`, …), or nil.
  public init?(name: String) {
    guard let match = DType.allCases.first(where: { $0.description == name }) else { return nil }
    self = match
  }
}

/// A Swift type that has a tensor element type of the same layout.
public protocol TensorElement: BitwiseCopyable, Sendable {
  /// The tensor element type.
  static var dtype: DType { get }
  /// The value that fills an array before the tensor's elements are copied in.
  static var placeholder: Self { get }
}

extension Float: TensorElement {
  /// The elements of a `float32` tensor.
  public static var dtype: DType { .float32 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Float { 0 }
}

extension Double: TensorElement {
  /// The elements of a `float64` tensor.
  public static var dtype: DType { .float64 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Double { 0 }
}

extension Int64: TensorElement {
  /// The elements of a `int64` tensor.
  public static var dtype: DType { .int64 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Int64 { 0 }
}

extension Int32: TensorElement {
  /// The elements of a `int32` tensor.
  public static var dtype: DType { .int32 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Int32 { 0 }
}

extension Int16: TensorElement {
  /// The elements of a `int16` tensor.
  public static var dtype: DType { .int16 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Int16 { 0 }
}

extension Int8: TensorElement {
  /// The elements of a `int8` tensor.
  public static var dtype: DType { .int8 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: Int8 { 0 }
}

extension UInt8: TensorElement {
  /// The elements of a `uint8` tensor.
  public static var dtype: DType { .uint8 }
  /// Zero, which the elements of the tensor overwrite.
  public static var placeholder: UInt8 { 0 }
}

extension Bool: TensorElement {
  /// The elements of a `bool` tensor.
  public static var dtype: DType { .bool }
  /// False, which the elements of the tensor overwrite.
  public static var placeholder: Bool { false }
}
