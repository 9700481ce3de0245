// SPDX-License-Identifier: Apache-2.0
package import MUXCore

/// Builds a zip file of stored entries, each aligned to 64 bytes as PyTorch likes them.
///
/// Files of 4 GiB or more would need the 64-bit form, which is not written.
package struct ZipWriter {
  /// The reason why an entry was refused.
  package struct TooLarge: Error, Equatable {}

  private var parts: [ByteRegion] = []
  private var directory: [UInt8] = []
  private var offset = 0
  private var entryCount = 0

  /// A writer without entries.
  package init() {}

  /// Adds an entry; names must differ.
  package mutating func add(_ name: String, _ bytes: ByteRegion) throws(TooLarge) {
    let checksum = bytes.withUnsafeBytes { CyclicRedundancyCheck.zip.checksum($0) }
    let nameBytes = [UInt8](name.utf8)
    // The extra field, with a tag of its own, moves the data to a multiple of 64 bytes.
    let unpadded = offset + 30 + nameBytes.count + 4
    let padding = (64 - unpadded % 64) % 64
    let total = unpadded + padding + bytes.count
    guard total < Int(UInt32.max), entryCount < Int(UInt16.max) - 1 else { throw TooLarge() }
    var fields: [UInt8] = []
    // Version needed, flags (names in UTF-8), method "stored", time, date 1980-01-01.
    for value: UInt16 in [20, 0x0800, 0, 0, 0x21] { fields.append(littleEndian: value) }
    fields.append(littleEndian: checksum)
    fields.append(littleEndian: UInt32(bytes.count))
    fields.append(littleEndian: UInt32(bytes.count))
    fields.append(littleEndian: UInt16(nameBytes.count))
    var header: [UInt8] = []
    header.append(littleEndian: UInt32(0x0403_4b50))
    header += fields
    header.append(littleEndian: UInt16(4 + padding))
    header += nameBytes
    header.append(littleEndian: UInt16(0x4246))
    header.append(littleEndian: UInt16(padding))
    header += [UInt8](repeating: 0, count: padding)
    directory.append(littleEndian: UInt32(0x0201_4b50))
    directory.append(littleEndian: UInt16(20))
    directory += fields
    // No extra field, comment or attributes; disk 0.
    directory += [UInt8](repeating: 0, count: 12)
    directory.append(littleEndian: UInt32(offset))
    directory += nameBytes
    parts.append(ByteRegion(header))
    parts.append(bytes)
    offset = total
    entryCount += 1
  }

  /// The file, in parts, with its directory.
  package consuming func finished() -> [ByteRegion] {
    var end: [UInt8] = []
    end.append(littleEndian: UInt32(0x0605_4b50))
    end.append(littleEndian: UInt32(0))
    end.append(littleEndian: UInt16(entryCount))
    end.append(littleEndian: UInt16(entryCount))
    end.append(littleEndian: UInt32(directory.count))
    end.append(littleEndian: UInt32(offset))
    end.append(littleEndian: UInt16(0))
    return parts + [ByteRegion(directory), ByteRegion(end)]
  }
}
