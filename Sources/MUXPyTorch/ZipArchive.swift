// SPDX-License-Identifier: Apache-2.0
package import MUXCore

/// The directory of a zip file. PyTorch writes entries without compression, Python's wheels deflate them.
///
/// Reads the central directory (also in its 64-bit form) and checks every offset against the file.
package struct ZipArchive {
  struct Entry {
    let name: String
    let size: Int
    let packedSize: Int
    let checksum: UInt32
    let method: UInt16
    let isEncrypted: Bool
    let headerOffset: Int
  }

  /// What is wrong with a file, to stand after its name.
  package struct Failure: Error, Equatable {
    package let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  let file: ByteRegion
  private(set) var entries: [String: Entry] = [:]

  /// The names of all entries, sorted.
  package var names: [String] { entries.keys.sorted() }

  /// Reads the directory.
  package init(_ file: ByteRegion) throws(Failure) {
    self.file = file
    let (start, size, count) = try Self.locateDirectory(file)
    guard start >= 0, size >= 0, start <= file.count, size <= file.count - start else {
      throw Failure("the zip directory lies outside the file")
    }
    // An entry takes at least 46 bytes, which bounds the loop whatever the count claims.
    guard count <= size / 46 else { throw Failure("the zip directory is too short for its count") }
    var reader = ByteReader(file[start..<start + size])
    for _ in 0..<count {
      let entry = try Self.entry(&reader)
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw Failure("the zip entry “\(entry.name)” comes twice")
      }
    }
  }

  /// The bytes of an entry as they are in the file, without copying, after checking its checksum.
  func bytes(of name: String) throws(Failure) -> ByteRegion {
    guard let entry = entries[name] else { throw Failure("the zip entry “\(name)” is missing") }
    guard entry.method == 0, !entry.isEncrypted else {
      throw Failure("the zip entry “\(name)” is compressed or encrypted")
    }
    return try checked(stored(entry), entry)
  }

  /// The bytes of an entry that may be deflated, after checking its checksum.
  package func inflatedBytes(of name: String) throws(Failure) -> ByteRegion {
    guard let entry = entries[name] else { throw Failure("the zip entry “\(name)” is missing") }
    if entry.method == 0 { return try bytes(of: name) }
    guard entry.method == 8, !entry.isEncrypted else {
      throw Failure("the zip entry “\(name)” is encrypted, or compressed in an unusual way")
    }
    guard let bytes = Inflation.bytes(try stored(entry), count: entry.size) else {
      throw Failure("the zip entry “\(name)” is damaged (it cannot be inflated)")
    }
    return try checked(bytes, entry)
  }

  private func stored(_ entry: Entry) throws(Failure) -> ByteRegion {
    let name = entry.name
    guard entry.headerOffset >= 0, entry.headerOffset <= file.count - 30 else {
      throw Failure("the zip entry “\(name)” lies outside the file")
    }
    var reader = ByteReader(file[entry.headerOffset..<file.count])
    guard reader.integer(UInt32.self) == 0x0403_4b50, reader.skip(22),
      let nameLength = reader.integer(UInt16.self), let extraLength = reader.integer(UInt16.self),
      reader.skip(Int(nameLength) + Int(extraLength)), let bytes = reader.region(entry.packedSize)
    else { throw Failure("the zip entry “\(name)” is cut off") }
    return bytes
  }

  private func checked(_ bytes: ByteRegion, _ entry: Entry) throws(Failure) -> ByteRegion {
    guard bytes.withUnsafeBytes({ CyclicRedundancyCheck.zip.checksum($0) }) == entry.checksum else {
      throw Failure("the zip entry “\(entry.name)” is damaged (its checksum differs)")
    }
    return bytes
  }

  private static func entry(_ reader: inout ByteReader) throws(Failure) -> Entry {
    let cut = Failure("the zip directory is cut off")
    guard reader.integer(UInt32.self) == 0x0201_4b50, reader.skip(4),
      let flags = reader.integer(UInt16.self), let method = reader.integer(UInt16.self),
      reader.skip(4), let checksum = reader.integer(UInt32.self),
      let packedSize32 = reader.integer(UInt32.self), let size32 = reader.integer(UInt32.self),
      let nameLength = reader.integer(UInt16.self), let extraLength = reader.integer(UInt16.self),
      let commentLength = reader.integer(UInt16.self), reader.skip(8),
      let offset32 = reader.integer(UInt32.self),
      let nameBytes = reader.region(Int(nameLength)),
      let extra = reader.region(Int(extraLength)), reader.skip(Int(commentLength))
    else { throw cut }
    guard let name = String(validating: nameBytes.array, as: UTF8.self) else {
      throw Failure("a zip entry's name is not UTF-8")
    }
    // A field of all ones says that the true value is in the 64-bit extra block, in this order.
    var wide = wideFields(extra)
    func widened(_ value: UInt32) throws(Failure) -> Int {
      guard value == .max else { return Int(value) }
      guard let wideValue = wide?.integer(UInt64.self), let size = Int(exactly: wideValue) else {
        throw cut
      }
      return size
    }
    let size = try widened(size32)
    let packedSize = try widened(packedSize32)
    let offset = try widened(offset32)
    guard method != 0 || size == packedSize else {
      throw Failure("the zip entry “\(name)” has two different sizes")
    }
    return Entry(
      name: name, size: size, packedSize: packedSize, checksum: checksum, method: method,
      isEncrypted: flags & 1 != 0, headerOffset: offset)
  }

  private static func wideFields(_ extra: ByteRegion) -> ByteReader? {
    var reader = ByteReader(extra)
    while let tag = reader.integer(UInt16.self), let size = reader.integer(UInt16.self),
      let content = reader.region(Int(size))
    {
      if tag == 1 { return ByteReader(content) }
    }
    return nil
  }

  private static func locateDirectory(
    _ file: ByteRegion
  ) throws(Failure) -> (start: Int, size: Int, count: Int) {
    let missing = Failure("the zip directory at its end is missing (is the file complete?)")
    guard file.count >= 22 else { throw missing }
    // The end record is followed by a comment of at most 65,535 bytes.
    let lowest = max(0, file.count - 22 - 65_535)
    let signature: [UInt8] = [0x50, 0x4b, 0x05, 0x06]
    let position = file.withUnsafeBytes { bytes in
      stride(from: file.count - 22, through: lowest, by: -1).first {
        bytes[$0..<$0 + 4].elementsEqual(signature)
      }
    }
    guard let position else { throw missing }
    var reader = ByteReader(file[position..<file.count])
    guard reader.skip(10), let count = reader.integer(UInt16.self),
      let size = reader.integer(UInt32.self), let start = reader.integer(UInt32.self)
    else { throw missing }
    guard count == .max || size == .max || start == .max else {
      return (Int(start), Int(size), Int(count))
    }
    guard position >= 20 else { throw missing }
    var locator = ByteReader(file[position - 20..<position])
    guard locator.integer(UInt32.self) == 0x0706_4b50, locator.skip(4),
      let recordOffset = locator.integer(UInt64.self),
      let record = Int(exactly: recordOffset), record <= file.count - 56
    else { throw missing }
    var wide = ByteReader(file[record..<file.count])
    guard wide.integer(UInt32.self) == 0x0606_4b50, wide.skip(28),
      let count = wide.integer(UInt64.self), let size = wide.integer(UInt64.self),
      let start = wide.integer(UInt64.self), let count = Int(exactly: count),
      let size = Int(exactly: size), let start = Int(exactly: start)
    else { throw missing }
    return (start, size, count)
  }
}
