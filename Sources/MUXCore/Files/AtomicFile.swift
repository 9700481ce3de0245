// SPDX-License-Identifier: Apache-2.0
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes a file so that a reader, or a crash, sees the old file or the new one and never a part.
///
/// The bytes go to a temporary file in the same folder. ``commit()`` syncs it to the disk, renames
/// it over the destination and syncs the folder. Without ``commit()`` nothing remains.
public struct AtomicFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private static let counter = Atomic<Int>(0)

  /// Starts to write the file at `path`; its folder must exist.
  ///
  /// Only a regular file is replaced: in the place of a device, a pipe or a link a file would be
  /// something else than what others expect there.
  public init(path: String) throws(FileError) {
    let folder = Self.folder(of: path)
    // A name may be as long as the file system allows; the temporary one is longer.
    let name = String(
      decoding: (path.split(separator: "/").last ?? "").utf8.prefix(60), as: UTF8.self)
    let serial = Self.counter.wrappingAdd(1, ordering: .relaxed).newValue
    self.path = path
    temporaryPath = "\(folder)/.\(name).\(getpid()).\(serial).partial"
    descriptor = -1
    try Self.requireReplaceable(path)
    // A leftover of a killed process with our process number is ours to replace.
    unlink(temporaryPath)
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let code = errno
      throw FileError(
        operation: "write", path: path, code: code,
        reason: code == ENOENT ? "there is no folder \(folder.printable)" : nil)
    }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var written = 0
    while written < bytes.count {
      // Linux moves at most 2 GiB in one call.
      let part = UnsafeRawBufferPointer(
        rebasing: bytes[written..<min(written + 1 << 30, bytes.count)])
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Glibc)
        let count = Glibc.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Musl)
        let count = Musl.write(descriptor, part.baseAddress, part.count)
      #endif
      if count < 0 {
        if errno == EINTR { continue }
        throw .last("write", path)
      }
      written += count
    }
  }

  /// Appends bytes.
  public mutating func write(_ bytes: [UInt8]) throws(FileError) {
    try Self.lending(bytes) { (buffer) throws(FileError) in try write(buffer) }
  }

  /// Appends the bytes of a region.
  public mutating func write(_ region: ByteRegion) throws(FileError) {
    // `withUnsafeBytes` rethrows untyped errors; the result carries the typed one across it.
    let outcome = region.withUnsafeBytes { buffer in
      Result { () throws(FileError) in try write(buffer) }
    }
    try outcome.get()
  }

  /// Makes the file durable and puts it in its place.
  public consuming func commit() throws(FileError) {
    try Self.requireReplaceable(path)
    guard fsync(descriptor) == 0 else { throw .last("sync", path) }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw .last("close", path) }
    guard rename(temporaryPath, path) == 0 else { throw .last("replace", path) }
    Self.syncFolder(of: path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    // After a commit the name is gone and this does nothing.
    unlink(temporaryPath)
  }

  /// Replaces the file at `path` with `bytes`, atomically.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    var file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
  }

  /// Replaces the file at `path` with `text` in UTF-8, atomically.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write([UInt8](text.utf8), to: path)
  }

  /// Checks that a file could be written at `path` now: before something is computed for it that takes
  /// long. What is there stays as it is, and nothing is left behind.
  ///
  /// - Throws: What writing the file would throw.
  package static func check(_ path: String) throws(FileError) {
    // A temporary file beside it says more than rights do: also whether the file system takes any.
    _ = try AtomicFile(path: path)
  }

  /// Refuses a path where something lies that is no regular file.
  private static func requireReplaceable(_ path: String) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    let kind: String
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: throw FileError(operation: "replace", path: path, code: EISDIR)
    case S_IFLNK: kind = "a link" + (target(of: path).map { " to \($0.printable)" } ?? "")
    case S_IFCHR, S_IFBLK: kind = "a device"
    case S_IFIFO: kind = "a named pipe"
    case S_IFSOCK: kind = "a socket"
    default: kind = "no regular file"
    }
    throw FileError(
      operation: "replace", path: path, code: EEXIST,
      reason: "it is \(kind); name a regular file")
  }

  private static func target(of link: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { buffer in
      buffer.withMemoryRebound(to: CChar.self) { characters in
        characters.baseAddress.map { readlink(link, $0, characters.count) } ?? -1
      }
    }
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }

  private static func lending(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(FileError) -> Void
  ) throws(FileError) {
    let outcome = bytes.withUnsafeBytes { buffer in
      Result { () throws(FileError) in try body(buffer) }
    }
    try outcome.get()
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Makes a rename durable. Some file systems refuse to sync a folder; the data is safe anyway.
  private static func syncFolder(of path: String) {
    let descriptor = open(folder(of: path), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
