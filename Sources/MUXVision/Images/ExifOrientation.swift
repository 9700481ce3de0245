// SPDX-License-Identifier: Apache-2.0
import MUXImages

/// Finds the orientation that a camera wrote into a file, or where EXIF has none, a program as XMP. Whatever
/// is broken on the way there counts as no orientation: pictures are not refused for what stands beside them.
enum ExifOrientation {
  /// The orientation of a file's picture.
  static func of(_ data: [UInt8], format: ImageFormat) -> ImageOrientation {
    let stated = block(of: data, format).flatMap {
      orientation(in: data, tiff: withoutName($0, data))
    }
    return stated ?? packet(of: data, format).flatMap { XMPPacket.orientation(in: data[$0]) }
      ?? .upright
  }

  /// Where EXIF lies.
  private static func block(of data: [UInt8], _ format: ImageFormat) -> Range<Int>? {
    switch format {
    case .jpeg: segment(of: data) { hasName($0) }
    // May stand before or after the picture.
    case .png: chunkOfPNG(data, "eXIf")
    case .webp: chunkOfWebP(data, "EXIF")
    case .tiff: 0..<data.count
    default: nil
    }
  }

  /// Where a packet of XMP lies. In PNG it is a text, which is not unpacked where it is packed.
  private static func packet(of data: [UInt8], _ format: ImageFormat) -> Range<Int>? {
    switch format {
    case .jpeg: segment(of: data) { $0.starts(with: XMPPacket.nameInJPEG) }
    case .png: chunkOfPNG(data, "iTXt") { $0.starts(with: XMPPacket.nameInPNG) }
    case .webp: chunkOfWebP(data, "XMP ")
    case .tiff: packetOfTIFF(data)
    default: nil
    }
  }

  /// The contents of the first APP1 segment before the first scan that begins as is asked for.
  private static func segment(
    of data: [UInt8], where isIt: (ArraySlice<UInt8>) -> Bool
  ) -> Range<Int>? {
    var position = 2
    while position + 4 <= data.count {
      // Between segments libjpeg passes over what is no marker, and so does this.
      guard data[position] == 0xff, data[position + 1] != 0xff else {
        position += 1
        continue
      }
      switch data[position + 1] {
      case 0x00, 0x01, 0xd0...0xd8: position += 2  // markers without a length
      case 0xd9, 0xda: return nil
      case let marker:
        let length = Int(data[position + 2]) << 8 | Int(data[position + 3])
        let end = position + 2 + length
        guard length >= 2, end <= data.count else { return nil }
        if marker == 0xe1, isIt(data[(position + 4)..<end]) { return (position + 4)..<end }
        position = end
      }
    }
    return nil
  }

  private static func chunkOfPNG(
    _ data: [UInt8], _ name: StaticString, where isIt: (ArraySlice<UInt8>) -> Bool = { _ in true }
  ) -> Range<Int>? {
    chunk(
      of: data, from: 8, name: name, head: 8, lengthAt: 0, isBigEndian: true, tail: 4, where: isIt)
  }

  private static func chunkOfWebP(_ data: [UInt8], _ name: StaticString) -> Range<Int>? {
    chunk(
      of: data, from: 12, name: name, head: 8, lengthAt: 4, isBigEndian: false, tail: 0
    ) { _ in true }
  }

  /// The contents of the first chunk of a name that begins as is asked for, where each has a head with name
  /// and length.
  private static func chunk(
    of data: [UInt8], from start: Int, name: StaticString, head: Int, lengthAt: Int,
    isBigEndian: Bool, tail: Int, where isIt: (ArraySlice<UInt8>) -> Bool
  ) -> Range<Int>? {
    var position = start
    while position + head <= data.count {
      let length = Bytes(data: data, isBigEndian: isBigEndian).long(position + lengthAt)
      let first = position + head
      guard length <= data.count - first else { return nil }
      let hasName = name.withUTF8Buffer {
        data[(position + 4 - lengthAt)..<(position + 8 - lengthAt)].elementsEqual($0)
      }
      if hasName, isIt(data[first..<(first + length)]) { return first..<(first + length) }
      // RIFF's chunks begin at even places.
      position = first + length + (tail == 0 ? length & 1 : tail)
    }
    return nil
  }

  private static func hasName(_ block: ArraySlice<UInt8>) -> Bool {
    block.starts(with: [0x45, 0x78, 0x69, 0x66, 0x00])  // "Exif" and a zero
  }

  /// The TIFF file within: in JPEG after a name, in PNG and WebP after the same one by mistake.
  private static func withoutName(_ block: Range<Int>, _ data: [UInt8]) -> Range<Int> {
    block.count >= 6 && hasName(data[block]) ? (block.lowerBound + 6)..<block.upperBound : block
  }

  private struct Bytes {
    let data: [UInt8]
    let isBigEndian: Bool

    func short(_ at: Int) -> Int {
      let a = Int(data[at])
      let b = Int(data[at + 1])
      return isBigEndian ? a << 8 | b : b << 8 | a
    }
    func long(_ at: Int) -> Int {
      isBigEndian ? short(at) << 16 | short(at + 2) : short(at + 2) << 16 | short(at)
    }
  }

  /// The places of the entries in the first directory of a TIFF file.
  private static func directory(
    in data: [UInt8], tiff: Range<Int>
  ) -> (bytes: Bytes, places: [Int])? {
    guard tiff.count >= 8 else { return nil }
    let start = tiff.lowerBound
    let bytes: Bytes
    switch (data[start], data[start + 1]) {
    case (0x49, 0x49): bytes = Bytes(data: data, isBigEndian: false)
    case (0x4d, 0x4d): bytes = Bytes(data: data, isBigEndian: true)
    default: return nil
    }
    guard bytes.short(start + 2) == 42 else { return nil }
    let directory = start + bytes.long(start + 4)
    guard directory + 2 <= tiff.upperBound else { return nil }
    let count = min(bytes.short(directory), (tiff.upperBound - directory - 2) / 12)
    return (bytes, (0..<count).map { directory + 2 + 12 * $0 })
  }

  /// The orientation in the first directory of a TIFF file; upright where its number means nothing.
  private static func orientation(in data: [UInt8], tiff: Range<Int>) -> ImageOrientation? {
    guard let (bytes, places) = directory(in: data, tiff: tiff) else { return nil }
    for place in places {
      guard bytes.short(place) == 0x0112, bytes.long(place + 4) == 1 else { continue }
      let value: Int
      switch bytes.short(place + 2) {
      case 3, 8: value = bytes.short(place + 8)  // two bytes: what the standard says
      case 4, 9: value = bytes.long(place + 8)
      default: continue
      }
      return UInt8(exactly: value).flatMap(ImageOrientation.init) ?? .upright
    }
    return nil
  }

  /// The packet that the first directory of a TIFF file names, of bytes.
  private static func packetOfTIFF(_ data: [UInt8]) -> Range<Int>? {
    guard let (bytes, places) = directory(in: data, tiff: 0..<data.count) else { return nil }
    for place in places {
      guard bytes.short(place) == 0x02bc, [1, 7].contains(bytes.short(place + 2)) else { continue }
      let (count, start) = (bytes.long(place + 4), bytes.long(place + 8))
      guard start <= data.count, count <= data.count - start else { return nil }
      return start..<start + count
    }
    return nil
  }
}
