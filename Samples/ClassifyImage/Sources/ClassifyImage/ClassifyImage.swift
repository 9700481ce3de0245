// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXRuntime

/// `ClassifyImage MODEL IMAGE.ppm` prints the five most likely classes of a binary PPM image.
///
/// The model is a file of `muxnet convert --to runtime`, which says how images are prepared. PPM needs no
/// library; an app hands over the pixels of a camera or of its system's decoder in the same way.
@main
enum ClassifyImage {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      fail("usage: ClassifyImage MODEL IMAGE.ppm", code: 64)
    }
    do {
      let plan = try InferencePlan(model: arguments[1])
      let engine = try InferenceEngine(plan)
      for guess in try engine.classify(Image(portablePixmap: arguments[2])) {
        print("\(guess.label): \((guess.probability * 1000).rounded() / 10) %")
      }
    } catch {
      fail("error: \(error)", code: 1)
    }
  }

  private static func fail(_ message: String, code: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(code)
  }
}

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
