// SPDX-License-Identifier: Apache-2.0

/// A 64-bit hash that is the same on every machine and in every run, for telling whether data
/// changed. It does not resist an adversary.
package struct StableHash: Sendable {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The hash of nothing.
  package init() {}

  package mutating func add(_ value: UInt64) {
    state = (state ^ value) &* 0x9e37_79b9_7f4a_7c15
    state ^= state >> 32
  }

  package mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }

  /// Adds bytes, eight at a time, and their number.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset + 8 <= bytes.count {
      add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    var rest: UInt64 = 0
    for byte in bytes[offset...] { rest = rest << 8 | UInt64(byte) }
    add(rest)
    add(bytes.count)
  }

  /// Adds a text by its bytes in UTF-8, as they are.
  package mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  /// The hash of all that was added.
  package var value: UInt64 { SplitMix64.mixed(state) }
}
