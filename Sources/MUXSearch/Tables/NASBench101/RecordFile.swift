// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads TensorFlow's record files: for each record its length (8 bytes, little endian), a masked
/// CRC-32C of the length, the bytes, and a masked CRC-32C of them.
struct RecordFile: ~Copyable {
  private let handle: FileHandle
  private let path: String
  private var buffer: [UInt8] = []
  private var position = 0
  private var offset = 0

  init(_ url: URL) throws(SearchError) {
    path = url.path(percentEncoded: false)
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw .table(path: path, reason: "there is no such file, or it cannot be read")
    }
    self.handle = handle
  }

  deinit { try? handle.close() }

  /// The next record, nil at the end of the file.
  ///
  /// - Throws: ``SearchError/table(path:reason:)`` with the position of a damaged record.
  mutating func next() throws(SearchError) -> ArraySlice<UInt8>? {
    let start = offset
    let header = try take(12)
    if header.isEmpty { return nil }
    guard header.count == 12 else { throw damaged(start, "is cut off") }
    let length = Self.number(header.prefix(8))
    guard CRC32C.masked(header.prefix(8)) == UInt32(Self.number(header.suffix(4))) else {
      throw damaged(start, "has a length that fails its checksum; is this a TFRecord file?")
    }
    guard length <= 1 << 30 else { throw damaged(start, "claims \(length) bytes") }
    let size = Int(length)
    let body = try take(size + 4)
    guard body.count == size + 4 else { throw damaged(start, "is cut off") }
    let bytes = body.prefix(size)
    guard CRC32C.masked(bytes) == UInt32(Self.number(body.suffix(4))) else {
      throw damaged(start, "fails its checksum")
    }
    return bytes
  }

  private func damaged(_ start: Int, _ reason: String) -> SearchError {
    .table(path: path, reason: "the record at byte \(start) \(reason)")
  }

  /// The next `count` bytes, fewer at the end.
  private mutating func take(_ count: Int) throws(SearchError) -> ArraySlice<UInt8> {
    while buffer.count - position < count {
      let chunk: Data?
      do {
        chunk = try handle.read(upToCount: max(1 << 20, count))
      } catch {
        throw .table(path: path, reason: "cannot be read at byte \(offset): \(error)")
      }
      guard let chunk, !chunk.isEmpty else { break }
      buffer.removeFirst(position)
      position = 0
      buffer += chunk
    }
    let end = min(buffer.count, position + count)
    defer {
      offset += end - position
      position = end
    }
    return buffer[position..<end]
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// The checksum of record files.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1
    }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// Rotated and shifted, so that a checksum of checksums stays one.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let value = checksum(bytes)
    return (value >> 15 | value << 17) &+ 0xa282_ead8
  }
}
