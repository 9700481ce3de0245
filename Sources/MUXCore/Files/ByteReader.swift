// SPDX-License-Identifier: Apache-2.0

/// Reads little-endian fields from a region, front to back; nil where the bytes do not suffice.
package struct ByteReader {
  package let region: ByteRegion
  package var offset: Int

  package init(_ region: ByteRegion, offset: Int = 0) {
    self.region = region
    self.offset = offset
  }

  @inlinable package var remaining: Int { region.count - offset }

  @inlinable
  package mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) -> Value? {
    let size = MemoryLayout<Value>.size
    guard remaining >= size else { return nil }
    defer { offset += size }
    return region.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
  }

  package mutating func region(_ count: Int) -> ByteRegion? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset += count }
    return region[offset..<offset + count]
  }

  package mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    offset += count
    return true
  }

  /// The bytes up to the next line feed, which is taken too.
  package mutating func line() -> ByteRegion? {
    let length = region.withUnsafeBytes { bytes in
      bytes[offset...].firstIndex(of: 0x0a).map { $0 - offset }
    }
    guard let length, let line = region(length) else { return nil }
    offset += 1
    return line
  }
}
