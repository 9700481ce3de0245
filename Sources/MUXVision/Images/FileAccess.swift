// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXImages

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads and writes whole files; errors are `ImageError`s that name the file.
package enum FileAccess {
  /// The bytes of a file.
  package static func read(_ path: String) throws(ImageError) -> [UInt8] {
    // Not to wait for who writes to a named pipe.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .unreadable(name: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(name: path, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(name: path, reason: "not a regular file")
    }
    let size = Int(status.st_size)
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
      while used < size {
        let got = systemRead(descriptor, buffer.baseAddress.map { $0 + used }, size - used)
        if got < 0 && errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        used += got
      }
    }
    guard failure == 0 else {
      throw .unreadable(name: path, reason: String(cString: strerror(failure)))
    }
    return bytes
  }

  /// Writes a file so that a reader sees the old one or the whole new one, never a part.
  package static func writeAtomically(_ bytes: [UInt8], to path: String) throws(ImageError) {
    do throws(FileError) { try AtomicFile.write(bytes, to: path) } catch {
      throw .unwritable(path: path, reason: error.cause)
    }
  }

  private static func systemRead(
    _ file: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int
  )
    -> Int
  {
    #if canImport(Glibc)
      Glibc.read(file, buffer, count)
    #elseif canImport(Musl)
      Musl.read(file, buffer, count)
    #else
      Darwin.read(file, buffer, count)
    #endif
  }
}
