// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXVision
import Testing

/// A file of `Fixtures/images` and what it must give, as `tools/make_image_table.py` wrote it.
private struct TableEntry {
  enum Outcome {
    case picture(Image, tolerance: Int)
    case error(String)
  }

  var name: String
  var outcome: Outcome

  static func all() throws -> [TableEntry] {
    let pixels = try Fixture.bytes("images/pixels.bin")
    return try String(decoding: Fixture.bytes("images/table.txt"), as: UTF8.self)
      .split(separator: "\n").map { line in
        let words = line.split(separator: " ", maxSplits: 2)
        guard words[1] != "error" else {
          return TableEntry(name: String(words[0]), outcome: .error(String(words[2])))
        }
        let numbers = try line.split(separator: " ").dropFirst().map { try #require(Int($0)) }
        let count = numbers[0] * numbers[1] * 3
        return TableEntry(
          name: String(words[0]),
          outcome: .picture(
            Image(
              width: numbers[0], height: numbers[1], channels: 3,
              pixels: Array(pixels[numbers[3]..<(numbers[3] + count)])),
            tolerance: numbers[2]))
      }
  }
}

@Suite struct ImageTableTests {
  /// What decoding a file must not do, or nil.
  private func fault(_ entry: TableEntry) throws -> String? {
    let bytes = try Fixture.bytes("images/\(entry.name)")
    // Without an optional library its format is not read.
    if let format = ImageFormat(of: bytes), [.webp, .gif, .tiff].contains(format),
      !format.isReadable
    {
      return nil
    }
    let result = Result { () throws(ImageError) in try Image(data: bytes, name: "x") }
    switch (entry.outcome, result) {
    case (.picture(let expected, let tolerance), .success(let image)):
      guard let difference = Difference(image.rgb, expected) else {
        return "\(image.width)×\(image.height), not \(expected.width)×\(expected.height)"
      }
      return difference.greatest <= tolerance ? nil : "differs by \(difference.greatest)"
    case (.picture, .failure(let error)): return "\(error)"
    case (.error(let part), .failure(let error)):
      return "\(error)".contains(part) ? nil : "another error: \(error)"
    case (.error, .success): return "no error"
    }
  }

  @Test("every file of the table gives Pillow's pixels, PNG exactly, JPEG within 1; or its error")
  func table() throws {
    let entries = try TableEntry.all()
    #expect(entries.count >= 60)
    for entry in entries {
      let fault = try fault(entry)
      #expect(fault == nil, "\(entry.name): \(fault ?? "")")
    }
  }

  @Test("orientation can be ignored: the picture then comes as it is stored")
  func ignored() throws {
    let upright = try Image(data: Fixture.bytes("images/exif1_little.png"), name: "1")
    for value in 1...8 {
      for order in ["little", "big"] {
        let bytes = try Fixture.bytes("images/exif\(value)_\(order).png")
        #expect(try Image(data: bytes, name: "x", orientation: .ignored) == upright)
      }
    }
  }

  /// The orientation among the tags of EXIF, as far as its value, and another tag in its place.
  private static let tag: [UInt8] = [0x12, 0x01, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00]
  private static let otherTag: [UInt8] = [0x1a, 0x01, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00]

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  /// A chunk of a PNG.
  private static func chunk(_ name: String, _ contents: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + contents
    var checksum = UInt32.max
    for byte in body {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return bigEndian(UInt32(contents.count)) + body + bigEndian(~checksum)
  }

  /// A file of the table with a packet of XMP.
  private static func file(_ name: String, with xml: String) throws -> [UInt8] {
    var bytes = try Fixture.bytes("images/\(name)")
    let packet = Array("<?xpacket begin=''?><x:xmpmeta>\(xml)</x:xmpmeta>".utf8)
    if name.hasSuffix("jpg") {
      let contents = Array("http://ns.adobe.com/xap/1.0/\0".utf8) + packet
      let length = contents.count + 2
      bytes.insert(
        contentsOf: [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)] + contents, at: 2)
    } else if name.hasSuffix("png") {
      // Behind the header, and behind another text.
      bytes.insert(
        contentsOf: chunk("iTXt", Array("Title\0\0\0\0\0tiff:Orientation=\"2\"".utf8))
          + chunk("iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + packet), at: 33)
    } else if name.hasSuffix("webp") {
      let padded = packet + (packet.count % 2 == 1 ? [0x20] : [])
      bytes += Array("XMP ".utf8) + bigEndian(UInt32(padded.count)).reversed() + padded
      bytes[20] |= 4
      bytes.replaceSubrange(4..<8, with: bigEndian(UInt32(bytes.count - 8)).reversed())
    } else {
      // In the place of the orientation.
      let place = try #require(bytes.firstRange(of: tag))
      bytes.replaceSubrange(
        place.lowerBound..<place.lowerBound + 12,
        with: [0xbc, 0x02, 0x07, 0x00] + bigEndian(UInt32(packet.count)).reversed()
          + bigEndian(UInt32(bytes.count)).reversed())
      bytes += packet
    }
    return bytes
  }

  private static func withoutOrientation(_ bytes: [UInt8]) -> [UInt8] {
    bytes.replacing(tag, with: otherTag)
  }

  @Test(
    "where EXIF has no orientation, that of XMP is applied",
    arguments: ["exif#_little.jpg", "exif#_little.png", "exif#.webp", "orientation#.tif"])
  func packets(pattern: String) throws {
    let upright = pattern.replacing("#", with: "1")
    let format = try #require(ImageFormat(of: Fixture.bytes("images/\(upright)")))
    // Without an optional library its format is not read.
    guard format.isReadable else { return }
    for value in 1...8 {
      let bytes = Self.withoutOrientation(
        try Self.file(upright, with: "<rdf:Description tiff:Orientation=\"\(value)\"/>"))
      let expected = try Image(
        data: Fixture.bytes("images/" + pattern.replacing("#", with: "\(value)")))
      #expect(try Image(data: bytes) == expected, "\(value)")
      let stored = try Image(data: Fixture.bytes("images/\(upright)"))
      #expect(try Image(data: bytes, orientation: .ignored) == stored)
    }
  }

  @Test(
    "XMP's orientation is an attribute or an element of one digit; anything else is none",
    arguments: [
      ("<a tiff:Orientation='6'/>", 6), ("<a tiff:Orientation = \"6\" />", 6),
      ("<tiff:Orientation>6</tiff:Orientation>", 6),
      ("<tiff:Orientation>\n 6\n</tiff:Orientation>", 6),
      ("</tiff:Orientation> tiff:Orientation <tiff:Orientation>6</tiff:Orientation>", 6),
      ("<a tiff:Orientation=\"8\"/><a tiff:Orientation=\"6\"/>", 8),
      ("<a tiff:Orientation=\"0\"/>", 1), ("<a tiff:Orientation=\"9\"/>", 1),
      ("<a tiff:Orientation=\"60\"/>", 1), ("<a tiff:Orientation=\"\"/>", 1),
      ("<a tiff:Orientation=6/>", 1), ("<a exif:Orientation=\"6\"/>", 1),
      (String(repeating: "tiff:Orientation ", count: 3000), 1),
    ])
  func forms(xml: String, value: Int) throws {
    let bytes = Self.withoutOrientation(try Self.file("exif1_little.jpg", with: xml))
    let expected = try Image(data: Fixture.bytes("images/exif\(value)_little.jpg"))
    #expect(try Image(data: bytes) == expected)
  }

  @Test("EXIF's orientation comes first, also one that means nothing; what is cut off is none")
  func precedence() throws {
    let packet = "<a tiff:Orientation=\"3\"/>"
    for name in ["exif6_little.jpg", "exif6_little.png"] {
      let expected = try Image(data: Fixture.bytes("images/\(name)"))
      #expect(try Image(data: Self.file(name, with: packet)) == expected)
    }
    let upright = try Image(data: Fixture.bytes("images/exif1_little.jpg"))
    let meaningless = try Self.file("exif1_little.jpg", with: packet)
      .replacing(Self.tag + [0x01], with: Self.tag + [0x09])
    #expect(try Image(data: meaningless) == upright)
    for text in ["tiff:Orientation", "tiff:Orientation=", "tiff:Orientation=\"6"] {
      let contents = Array("http://ns.adobe.com/xap/1.0/\0\(text)".utf8)
      var bytes = Self.withoutOrientation(try Fixture.bytes("images/exif1_little.jpg"))
      bytes.insert(contentsOf: [0xff, 0xe1, 0, UInt8(contents.count + 2)] + contents, at: 2)
      #expect(try Image(data: bytes) == upright)
    }
  }

  @Test("pictures larger than a tile turn as small ones do")
  func largeTurns() {
    let image = noise(width: 131, height: 70)
    for orientation in ImageOrientation.allCases {
      let turned = image.upright(from: orientation)
      let maps: (Int, Int) -> (Int, Int) =
        switch orientation {
        case .upright: { ($0, $1) }
        case .mirrored: { (130 - $0, $1) }
        case .upsideDown: { (130 - $0, 69 - $1) }
        case .mirroredUpsideDown: { ($0, 69 - $1) }
        case .transposed: { ($1, $0) }
        case .turnedLeft: { ($1, 69 - $0) }
        case .transversed: { (130 - $1, 69 - $0) }
        case .turnedRight: { (130 - $1, $0) }
        }
      let isRight = (0..<turned.height).allSatisfy { y in
        (0..<turned.width).allSatisfy { x in
          let (fromX, fromY) = maps(x, y)
          return (0..<3).allSatisfy { turned[x, y, $0] == image[fromX, fromY, $0] }
        }
      }
      #expect(isRight, "\(orientation)")
    }
  }
}
