// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages

extension Image {
  /// What is wrong with a file.
  struct FormatError: Error, CustomStringConvertible {
    let path: String
    var description: String {
      "\(path): not a binary PPM image (P6) with 8 bits a colour; convert it to one"
    }
  }

  /// Reads a binary PPM image: the words P6, width, height and 255, one space, the pixels.
  init(portablePixmap path: String) throws {
    // Mapped, so that only the pixels that are kept take memory.
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    var words: [String] = []
    var offset = 0
    while words.count < 4, offset < data.count {
      if data[offset] == UInt8(ascii: "#") {
        while offset < data.count, data[offset] != UInt8(ascii: "\n") { offset += 1 }
      }
      let start = offset
      while offset < data.count, data[offset] > 0x20 { offset += 1 }
      if offset > start { words.append(String(decoding: data[start..<offset], as: UTF8.self)) }
      offset += 1
    }
    guard words.count == 4, words[0] == "P6", words[3] == "255", let width = Int(words[1]),
      let height = Int(words[2]), 1...32768 ~= width, 1...32768 ~= height,
      data.count - offset >= width * height * 3
    else { throw FormatError(path: path) }
    try self.init(width: width, height: height, bytes: data[offset..<offset + width * height * 3])
  }
}
