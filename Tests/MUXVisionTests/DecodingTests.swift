// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite struct DecodingTests {
  @Test(
    "a cut-off file is an error that names it, wherever the cut is",
    arguments: ["plain.jpg", "progressive.jpg", "grey.jpg", "source.png", "grey.png"],
    [0.1, 0.4, 0.7, 0.95])
  func truncated(name: String, share: Double) throws {
    let bytes = try Fixture.bytes(name)
    let cut = Array(bytes.prefix(Int(Double(bytes.count) * share)))
    let error = #expect(throws: ImageError.self) { try Image(data: cut, name: "photo") }
    guard case .damaged("photo", let format, let reason) = try #require(error) else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(format == (name.hasSuffix("png") ? "PNG" : "JPEG"))
    #expect(!reason.isEmpty)
  }

  @Test("damaged data in the middle of a JPEG is an error")
  func damaged() throws {
    var bytes = try Fixture.bytes("plain.jpg")
    // An end-of-image marker in the middle of the entropy-coded data.
    let middle = bytes.count - 300
    bytes[middle] = 0xff
    bytes[middle + 1] = 0xd9
    #expect(throws: ImageError.self) { try Image(data: bytes, name: "photo") }
  }

  @Test("a PNG with a wrong checksum is an error")
  func wrongChecksum() throws {
    var bytes = try Fixture.bytes("source.png")
    bytes[bytes.count / 2] ^= 0x55
    #expect(throws: ImageError.self) { try Image(data: bytes, name: "picture") }
  }

  @Test("other files, empty ones, folders and missing ones are errors with a reason")
  func noImages() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("a.jpg", Array("hello, world".utf8))
    let empty = try folder.write("b.png", [])
    #expect(throws: ImageError.unknownFormat(name: text)) { try Image(contentsOfFile: text) }
    #expect(
      throws: ImageError.damaged(name: empty, format: "image", reason: "the file is empty")
    ) { try Image(contentsOfFile: empty) }
    #expect(throws: ImageError.unreadable(name: folder.path, reason: "not a regular file")) {
      try Image(contentsOfFile: folder.path)
    }
    let missing = #expect(throws: ImageError.self) {
      try Image(contentsOfFile: "\(folder.path)/c.jpg")
    }
    #expect("\(try #require(missing))".hasPrefix("\(folder.path)/c.jpg: cannot read the file"))
  }

  @Test("a header that announces too many pixels is refused before memory is taken")
  func hostileHeader() throws {
    // A JPEG's frame header (SOF0: length, precision, height, width) with 65,000 × 65,000.
    var bytes = try Fixture.bytes("plain.jpg")
    let frame = try #require(
      bytes.indices.first { $0 + 1 < bytes.count && bytes[$0] == 0xff && bytes[$0 + 1] == 0xc0 })
    for offset in [5, 7] {
      bytes[frame + offset] = 0xfd
      bytes[frame + offset + 1] = 0xe8
    }
    #expect(
      throws: ImageError.tooLarge(
        name: "bomb", width: 65_000, height: 65_000, limit: Image.pixelLimit)
    ) { try Image(data: bytes, name: "bomb") }
  }

  @Test("a file that cannot be written leaves nothing behind")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let image = noise(width: 5, height: 5)
    #expect(throws: ImageError.self) { try image.writePNG(to: "\(folder.path)/none/a.png") }
    let path = "\(folder.path)/a.png"
    try image.writePNG(to: path)
    #expect(try Image(contentsOfFile: path) == image)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
  }

  @Test("a grid places its images row by row")
  func grid() {
    let images = (0..<5).map { Image(width: 2, height: 3, color: [UInt8($0 * 10)]) }
    let grid = Image.grid(images, columns: 3, gap: 1, zoom: 2)
    #expect(grid.width == 3 * 5 - 1 && grid.height == 2 * 7 - 1)
    #expect(grid[0, 0, 0] == 0 && grid[5, 0, 1] == 10 && grid[13, 5, 2] == 20)
    #expect(grid[0, 7, 0] == 30 && grid[8, 12, 0] == 40)
    #expect(grid[4, 0, 0] == 255 && grid[0, 6, 0] == 255 && grid[13, 12, 0] == 255)
  }
}

@Suite struct DataCheckTests {
  @Test("a check lists every broken file with its reason and counts classes and sizes")
  func check() throws {
    let folder = try TemporaryFolder()
    let jpeg = try Fixture.bytes("plain.jpg")
    try folder.write("a/1.jpg", jpeg)
    try folder.write("a/2.jpg", Array(jpeg.prefix(jpeg.count / 2)))
    try folder.write("a/3.png", try noise(width: 3, height: 90, channels: 1).pngData())
    try folder.write("b/1.jpeg", Array("text".utf8))
    let data = try ImageFolder(path: folder.path)
    var done: [Int] = []
    let check = DataCheck(data, threads: 2) { done.append($0) }
    #expect(check.samples == 4 && done == [4])
    #expect(check.classes.map(\.samples) == [3, 1])
    #expect(check.classes.map(\.broken) == [1, 1])
    #expect(check.broken.map(\.name) == ["\(folder.path)/a/2.jpg", "\(folder.path)/b/1.jpeg"])
    #expect(check.broken[0].reason.hasPrefix("damaged JPEG file"))
    #expect(check.broken[1].reason.hasPrefix("not an image of a known format"))
    #expect(check.smallest == ImageSize(height: 31, width: 3))
    #expect(check.largest == ImageSize(height: 90, width: 40))
    #expect(check.greyImages == 1)
    #expect(check.decodedBytes == 40 * 31 * 3 + 270)
    #expect(check.warnings.isEmpty)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = try encoder.encode(check)
    #expect(try encoder.encode(JSONDecoder().decode(DataCheck.self, from: text)) == text)
  }

  @Test("a single class is reported")
  func singleClass() throws {
    let check = DataCheck(MemoryDataSet(count: 3, classes: 1))
    #expect(check.broken.isEmpty)
    #expect(check.warnings.count == 1 && check.warnings[0].contains("class 0"))
  }
}
