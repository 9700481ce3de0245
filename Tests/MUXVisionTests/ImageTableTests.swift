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
