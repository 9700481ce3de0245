// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which file it is, whatever it is called.
package struct FileIdentity: Sendable, Hashable {
  private let device: Int
  private let number: UInt64

  /// Of what a path leads to; nil where there is nothing, or the system does not say.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  fileprivate init(_ status: stat) {
    device = Int(status.st_dev)
    number = UInt64(status.st_ino)
  }
}

/// What tells whether a file was written to, or another one is in its place.
package struct FileStamp: Sendable, Hashable {
  package let identity: FileIdentity
  /// Bytes.
  package let size: Int
  private let seconds: Int
  private let nanoseconds: Int

  /// Of what a path leads to; nil where there is nothing, or the system does not say.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Of an open file; nil where the system does not say.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    identity = FileIdentity(status)
    size = Int(status.st_size)
    #if canImport(Darwin)
      let written = status.st_mtimespec
    #else
      let written = status.st_mtim
    #endif
    (seconds, nanoseconds) = (Int(written.tv_sec), Int(written.tv_nsec))
  }
}
