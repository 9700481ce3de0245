// SPDX-License-Identifier: Apache-2.0

/// A 32-bit cyclic redundancy check with reflected bits, eight bytes at a time.
package struct CyclicRedundancyCheck: Sendable {
  /// The polynomial of zip files.
  package static let zip = CyclicRedundancyCheck(reflectedPolynomial: 0xedb8_8320)
  /// Castagnoli's polynomial, which TensorBoard's records use.
  package static let castagnoli = CyclicRedundancyCheck(reflectedPolynomial: 0x82f6_3b78)

  /// Eight tables of 256; table k advances a byte by k more bytes of zeros.
  private let tables: [UInt32]

  private init(reflectedPolynomial polynomial: UInt32) {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var value = UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
      tables[byte] = value
    }
    for byte in 0..<256 {
      for level in 1..<8 {
        let previous = tables[(level - 1) * 256 + byte]
        tables[level * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xff)]
      }
    }
    self.tables = tables
  }

  package func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var value = UInt32.max
      var offset = 0
      while bytes.count - offset >= 8 {
        let word = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let mixed = word ^ UInt64(value)
        value = 0
        for index in 0..<8 {
          value ^= tables[(7 - index) * 256 + Int(mixed >> (8 * UInt64(index)) & 0xff)]
        }
        offset += 8
      }
      for index in offset..<bytes.count {
        value = value >> 8 ^ tables[Int((value ^ UInt32(bytes[index])) & 0xff)]
      }
      return ~value
    }
  }
}
