// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Texts that are read as a whole: settings, networks, spaces, lists of names.
package enum TextFile {
  /// The text of a file, a pipe or a device. A pipe into which nobody writes is an error after a while:
  /// nothing would end the wait for it.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - limit: The most bytes that are read: a device has no end, and what is no text may be of any size.
  ///   - patience: How many seconds the first bytes of a pipe may take.
  package static func read(
    _ path: String, limit: Int, patience: Int32 = 10
  ) throws(FileError) -> String {
    // Without O_NONBLOCK a named pipe would not even open before somebody writes into it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .last("read", path) }
    defer { close(descriptor) }
    try awaitFirstBytes(of: descriptor, path, patience)
    var bytes: [UInt8] = []
    let part = 1 << 16
    while true {
      let count = bytes.count
      var code: Int32 = 0
      var got = 0
      let more = [UInt8](unsafeUninitializedCapacity: part) { buffer, used in
        repeat { got = systemRead(descriptor, buffer) } while got < 0 && errno == EINTR
        code = errno
        used = max(got, 0)
      }
      guard got >= 0 else { throw FileError(operation: "read", path: path, code: code) }
      guard got > 0 else { break }
      guard count + got <= limit else {
        throw FileError(
          operation: "read", path: path, code: EFBIG,
          reason: "it is longer than \(size(limit)), more than any such file needs")
      }
      bytes += more
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw FileError(
        operation: "read", path: path, code: EILSEQ, reason: "it is no text (UTF-8)")
    }
    return text
  }

  /// Waits until a pipe has something to read or its writers have gone, and lets reads wait from then on.
  private static func awaitFirstBytes(
    of descriptor: Int32, _ path: String, _ patience: Int32
  ) throws(FileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .last("read", path) }
    if status.st_mode & S_IFMT == S_IFIFO {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      var ready: Int32 = 0
      repeat { ready = poll(&waiting, 1, patience * 1000) } while ready < 0 && errno == EINTR
      guard ready >= 0 else { throw .last("read", path) }
      guard ready > 0 else {
        throw FileError(
          operation: "read", path: path, code: ETIMEDOUT,
          reason: "it is a pipe into which nothing was written for \(patience) seconds")
      }
    }
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) >= 0 else {
      throw .last("read", path)
    }
  }

  private static func size(_ limit: Int) -> String {
    limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB"
  }

  private static func systemRead(
    _ descriptor: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    #if canImport(Darwin)
      Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Glibc)
      Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }
}
