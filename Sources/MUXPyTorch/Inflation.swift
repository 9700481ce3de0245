// SPDX-License-Identifier: Apache-2.0
import CZlib
import MUXCore

/// Undoes what zip calls deflating.
enum Inflation {
  /// Deflating makes nothing smaller than by this factor, so a file's claim beyond it is a lie.
  private static let greatestRatio = 1032

  /// Inflates bytes of which the number is known; nil where they are damaged or not so many.
  static func bytes(_ packed: ByteRegion, count: Int) -> ByteRegion? {
    guard count > 0 else { return ByteRegion([]) }
    guard count / greatestRatio <= packed.count, packed.count < Int(UInt32.max),
      count < Int(UInt32.max)
    else { return nil }
    var isComplete = false
    let result = ByteRegion(count: count) { target in
      var stream = z_stream()
      // A window of 15 bits; negative since zip has no header before the data.
      guard
        inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
      else { return }
      defer { inflateEnd(&stream) }
      packed.withUnsafeBytes { source in
        let bytes = source.bindMemory(to: UInt8.self)
        // zlib reads only; its type does not say so.
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        stream.avail_in = UInt32(bytes.count)
        stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = UInt32(target.count)
        isComplete = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0
      }
    }
    return isComplete ? result : nil
  }
}
