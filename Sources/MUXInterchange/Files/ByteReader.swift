// SPDX-License-Identifier: Apache-2.0

/// Reads little-endian fields from a region, front to back; nil where the bytes do not suffice.
struct ByteReader {
  let region: ByteRegion
  private(set) var offset: Int

  init(_ region: ByteRegion, offset: Int = 0) {
    self.region = region
    self.offset = offset
  }

  var remaining: Int { region.count - offset }

  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) -> Value? {
    let size = MemoryLayout<Value>.size
    guard remaining >= size else { return nil }
    defer { offset += size }
    return region.withUnsafeBytes {
      Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
  }

  mutating func region(_ count: Int) -> ByteRegion? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset += count }
    return region[offset..<offset + count]
  }

  mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    offset += count
    return true
  }

  /// The bytes up to the next line feed, which is taken too.
  mutating func line() -> ByteRegion? {
    let length = region.withUnsafeBytes { bytes in
      bytes[offset...].firstIndex(of: 0x0a).map { $0 - offset }
    }
    guard let length, let line = region(length) else { return nil }
    offset += 1
    return line
  }
}
