// SPDX-License-Identifier: Apache-2.0
import CZlib
import Foundation

/// Reads files that may be compressed with gzip.
enum GzipReader {
  /// The bytes of a file, uncompressed if its first bytes say gzip.
  static func read(_ url: URL) throws(SearchError) -> Data {
    let path = url.path(percentEncoded: false)
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      throw .table(path: path, reason: exists ? "cannot be read" : "there is no such file")
    }
    guard data.starts(with: [0x1f, 0x8b]) else { return data }
    guard let inflated = inflate(data) else {
      throw .table(path: path, reason: "is a damaged or cut-off gzip file")
    }
    return inflated
  }

  private static func inflate(_ data: Data) -> Data? {
    var stream = z_stream()
    // 15 bits of window, plus 16 for the gzip header.
    guard
      inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }
    var output = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var input = [UInt8](data)
    let isComplete = input.withUnsafeMutableBufferPointer { input -> Bool in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(clamping: input.count)
      while true {
        let (status, written) = chunk.withUnsafeMutableBufferPointer { chunk in
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(chunk.count)
          return (CZlib.inflate(&stream, Z_NO_FLUSH), chunk.count - Int(stream.avail_out))
        }
        output.append(contentsOf: chunk[..<written])
        if status == Z_STREAM_END { return true }
        if status != Z_OK || written == 0 { return false }
      }
    }
    return isComplete ? output : nil
  }
}
