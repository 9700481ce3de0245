// SPDX-License-Identifier: Apache-2.0
package import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A temporary file that has no name, so that it is gone with the last process that holds it open,
/// however that ends, and nobody else can read it.
package final class UnnamedFile: Sendable {
  let descriptor: Int32

  /// A file with some bytes, to be read from its beginning.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  package init(_ bytes: Data = Data()) throws(StudyError) {
    var template = Array(
      FileManager.default.temporaryDirectory.appendingPathComponent("muxnet-XXXXXX").path
        .utf8CString)
    let descriptor = template.withUnsafeMutableBufferPointer { pointer -> Int32 in
      guard let start = pointer.baseAddress else { return -1 }
      let made = mkstemp(start)
      if made >= 0 { unlink(start) }
      return made
    }
    guard descriptor >= 0 else {
      throw .evaluation(
        reason: "cannot make a temporary file: \(String(cString: strerror(errno)))")
    }
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw .evaluation(
          reason: "cannot write a temporary file: \(String(cString: strerror(errno)))")
      }
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  /// How many bytes it has.
  package var size: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The last bytes, at most so many.
  package func suffix(_ count: Int) -> Data {
    let start = max(0, size - count)
    var bytes = [UInt8](repeating: 0, count: min(count, size))
    let read = bytes.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress, $0.count, off_t(start))
    }
    return Data(bytes.prefix(max(0, read)))
  }

  /// Up to so many bytes from a place on.
  func bytes(from start: Int, _ count: Int) -> Data {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = bytes.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress, $0.count, off_t(start))
    }
    return Data(bytes.prefix(max(0, read)))
  }

  /// The last line that is not empty, without spaces around it; lines longer than 64 KiB lose their
  /// beginning.
  func lastLine() -> String? {
    String(decoding: suffix(65_536), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .last { !$0.isEmpty }
  }
}
