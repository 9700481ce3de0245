// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXPyTorch
import Testing

@Suite("Deflated entries of zip files")
struct ZipInflationTests {
  /// Made by Python's zipfile: `package/a.txt`, "weights " forty times, deflated.
  private static let file = [UInt8](
    Data(
      base64Encoded: """
        UEsDBBQAAAAIAAAAIQB1aLI4DgAAAEABAAANAAAAcGFja2FnZS9hLnR4dCtPzUzPKClWKB+lyaIBUEsBAhQDFAAAAAgA\
        AAAhAHVosjgOAAAAQAEAAA0AAAAAAAAAAAAAAIABAAAAAHBhY2thZ2UvYS50eHRQSwUGAAAAAAEAAQA7AAAAOQAAAAAA
        """) ?? Data())
  private static let name = "package/a.txt"

  @Test("An entry of Python is inflated")
  func inflation() throws {
    let zip = try ZipArchive(ByteRegion(Self.file))
    #expect(zip.names == [Self.name])
    let text = String(decoding: try zip.inflatedBytes(of: Self.name).array, as: UTF8.self)
    #expect(text == String(repeating: "weights ", count: 40))
  }

  @Test("Stored entries come as they are; absent ones are named")
  func stored() throws {
    var writer = ZipWriter()
    try writer.add("b", ByteRegion([1, 2, 3]))
    let zip = try ZipArchive(ByteRegion(writer.finished().flatMap(\.array)))
    #expect(try zip.inflatedBytes(of: "b").array == [1, 2, 3])
    #expect {
      _ = try zip.inflatedBytes(of: "c")
    } throws: { ($0 as? ZipArchive.Failure)?.reason == "the zip entry “c” is missing" }
  }

  @Test("A damaged byte anywhere gives an error or the text, and no crash")
  func damage() throws {
    var refused = 0
    for place in Self.file.indices {
      for value: UInt8 in [0, 1, 0x7f, 0xff] {
        var bytes = Self.file
        bytes[place] = value
        do throws(ZipArchive.Failure) {
          let zip = try ZipArchive(ByteRegion(bytes))
          for name in zip.names {
            let text = try zip.inflatedBytes(of: name).array
            #expect(text.starts(with: "weights ".utf8))
          }
        } catch { refused += 1 }
      }
    }
    #expect(refused > 100)
  }

  @Test("A size that no deflated data can have is refused before memory is taken")
  func bomb() throws {
    var bytes = Self.file
    let entry = try #require(Self.file.firstRange(of: [0x50, 0x4b, 1, 2])?.lowerBound)
    bytes.replaceSubrange(entry + 24..<entry + 28, with: [0, 0, 0, 0x70])
    #expect {
      _ = try ZipArchive(ByteRegion(bytes)).inflatedBytes(of: Self.name)
    } throws: { ($0 as? ZipArchive.Failure)?.reason.contains("cannot be inflated") == true }
  }
}
