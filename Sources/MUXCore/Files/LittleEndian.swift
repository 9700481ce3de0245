// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
  /// Appends the bytes of a number, the lowest first.
  package mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(
    littleEndian value: Value
  ) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
