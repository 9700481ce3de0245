// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A stretch of immutable bytes, in a mapped file or in memory.
///
/// A region keeps what it looks at alive: a mapping is released with the last region of it, so a
/// tensor taken from a file stays valid after the archive is gone.
public struct ByteRegion: Sendable {
  private let storage: ByteStorage
  private let bounds: Range<Int>

  /// The number of bytes.
  public var count: Int { bounds.count }

  /// A region that owns a copy of `bytes`, aligned for any element type.
  public init(_ bytes: some Collection<UInt8>) {
    let storage = ByteStorage(copying: bytes)
    self.storage = storage
    bounds = 0..<storage.count
  }

  /// A region that owns a copy of the memory of `values`; for trivial types such as `Float`.
  public init<Value: BitwiseCopyable>(copyingMemoryOf values: [Value]) {
    self = values.withUnsafeBytes { ByteRegion($0) }
  }

  /// A region of `count` bytes that `body` fills in; they start out as zeros.
  public init(count: Int, fill body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let storage = ByteStorage(zeros: count)
    try storage.fill(body)
    self.storage = storage
    bounds = 0..<count
  }

  /// Maps a whole file into memory, read-only.
  ///
  /// The file must not be shortened while the region is in use; files written by this package are
  /// replaced by renaming, which leaves mappings of the old file intact.
  public init(mapping path: String) throws(FileError) {
    let storage = try ByteStorage(mapping: path)
    self.storage = storage
    bounds = 0..<storage.count
  }

  /// Maps a whole file into memory, read-only, and keeps it open, so that ``fileStamp`` says whether it is
  /// still what it was.
  package init(watching path: String) throws(FileError) {
    let storage = try ByteStorage(mapping: path, keepsOpen: true)
    self.storage = storage
    bounds = 0..<storage.count
  }

  /// Reads a whole file into memory of its own: nothing that happens to the file afterwards matters.
  package init(reading path: String) throws(FileError) {
    let storage = try ByteStorage(reading: path)
    self.storage = storage
    bounds = 0..<storage.count
  }

  /// What the system says of the mapped file now; nil if it is not watched.
  package var fileStamp: FileStamp? { storage.descriptor.flatMap { FileStamp(descriptor: $0) } }

  private init(storage: ByteStorage, bounds: Range<Int>) {
    self.storage = storage
    self.bounds = bounds
  }

  /// A part of this region, by offsets from its start. The offsets must lie inside.
  public subscript(range: Range<Int>) -> ByteRegion {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "offsets outside the region")
    let start = bounds.lowerBound
    return ByteRegion(
      storage: storage, bounds: start + range.lowerBound..<start + range.upperBound)
  }

  /// Lends the bytes for the duration of `body`. They need not be aligned.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(rebasing: storage.bytes[bounds]))
    }
  }

  /// The bytes as an array.
  public var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

/// Memory that a region looks at: a mapping or an allocation.
///
/// Unchecked because it holds a pointer; the memory is written only before the initializer of the
/// region that creates it returns, and is read-only from then on.
private final class ByteStorage: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  private let isMapped: Bool
  /// Of a file that is watched.
  let descriptor: Int32?

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }
  var count: Int { memory.count }

  init(zeros count: Int) {
    memory = .allocate(byteCount: count, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    isMapped = false
    descriptor = nil
  }

  init(copying source: some Collection<UInt8>) {
    memory = .allocate(byteCount: source.count, alignment: 64)
    memory.copyBytes(from: source)
    isMapped = false
    descriptor = nil
  }

  init(mapping path: String, keepsOpen: Bool = false) throws(FileError) {
    let (file, size) = try Self.opened(path)
    var isKept = false
    defer { if !isKept { close(file) } }
    guard size > 0 else {
      memory = .allocate(byteCount: 0, alignment: 64)
      isMapped = false
      descriptor = nil
      return
    }
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file, 0)
    guard let address, address != MAP_FAILED else { throw .last("map", path) }
    memory = UnsafeMutableRawBufferPointer(start: address, count: size)
    isMapped = true
    isKept = keepsOpen
    descriptor = keepsOpen ? file : nil
  }

  init(reading path: String) throws(FileError) {
    let (file, size) = try Self.opened(path)
    defer { close(file) }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    var failure: FileError?
    var count = 0
    while count < size, failure == nil {
      let got = read(file, memory.baseAddress.map { $0 + count }, size - count)
      if got < 0, errno == EINTR { continue }
      if got < 0 { failure = .last("read", path) }
      if got == 0 {
        failure = FileError(
          operation: "read", path: path, code: EIO, reason: "it was cut off while it was read")
      }
      count += max(got, 0)
    }
    if let failure {
      memory.deallocate()
      throw failure
    }
    self.memory = memory
    isMapped = false
    descriptor = nil
  }

  /// A regular file, open to be read, and its size.
  private static func opened(_ path: String) throws(FileError) -> (file: Int32, size: Int) {
    // Not to wait for who writes to a named pipe.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .last("open", path) }
    var status = stat()
    do throws(FileError) {
      guard fstat(file, &status) == 0 else { throw .last("examine", path) }
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw FileError(operation: "read", path: path, code: EISDIR)
      }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw FileError(operation: "map", path: path, code: ENODEV)
      }
    } catch {
      close(file)
      throw error
    }
    return (file, Int(status.st_size))
  }

  func fill(_ body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    try body(memory)
  }

  deinit {
    if isMapped {
      munmap(memory.baseAddress, memory.count)
    } else {
      memory.deallocate()
    }
    if let descriptor { close(descriptor) }
  }
}
