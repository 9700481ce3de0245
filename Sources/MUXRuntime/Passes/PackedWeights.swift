// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The packed weights of a file for one width of vectors, checked and ready to be used in place.
struct PackedWeights: Sendable {
  /// A stretch: what it is, and where in the data.
  struct Entry: Sendable {
    var key: UInt64
    var bytes: Range<Int>
  }

  let entries: [Entry]
  /// The data; keeps the mapping alive.
  let data: ByteRegion
  /// Whether they are still what they were.
  var watch: ModelWatch?

  var count: Int { entries.count }

  /// The stretch at a position, if it is what is expected there.
  func values<Value: BitwiseCopyable>(
    at index: Int, key: UInt64, count: Int, of type: Value.Type
  ) -> UnsafeBufferPointer<Value>? {
    guard index < entries.count else { return nil }
    let entry = entries[index]
    guard entry.key == key, entry.bytes.count == count * MemoryLayout<Value>.stride else {
      return nil
    }
    return data.withUnsafeBytes { bytes in
      UnsafeRawBufferPointer(rebasing: bytes[entry.bytes]).bindMemory(to: type)
    }
  }
}
