// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import Testing

@Suite("Sizes in settings") struct SizeSettingTests {
  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test("A square is one number, another size its height and width; both come back")
  func transforms() throws {
    let wide = ImageSize(height: 3, width: 20)
    for (transform, text) in [
      (.centerCrop(8), #"{"centerCrop":{"size":8}}"#),
      (.centerCrop(wide), #"{"centerCrop":{"size":[3,20]}}"#),
      (.randomCrop(RandomCrop(size: 8, padding: 1)), #"{"randomCrop":{"padding":1,"size":8}}"#),
      (
        .resize(Resize(size: wide, interpolation: .nearest)),
        #"{"resize":{"interpolation":"nearest","size":[3,20]}}"#
      ),
      (
        .resize(Resize(shorterSide: 9)),
        #"{"resize":{"interpolation":"bilinear","shorterSide":9}}"#
      ),
      (
        .randomResizedCrop(RandomResizedCrop(size: wide, scale: 0.5...1, ratio: 1...2)),
        #"{"randomResizedCrop":{"interpolation":"bilinear","ratio":[1,2],"scale":[0.5,1],"size":[3,20]}}"#
      ),
    ] as [(ImageTransform, String)] {
      #expect(try json(transform) == text)
      #expect(try JSONDecoder().decode(ImageTransform.self, from: Data(text.utf8)) == transform)
    }
  }

  @Test("Networks have both by name, as in files of all versions")
  func networks() throws {
    #expect(try json(ImageSize(height: 3, width: 20)) == #"{"height":3,"width":20}"#)
    #expect("\(ImageSize(height: 3, width: 20))" == "3×20")
  }

  @Test(
    "Sizes that cannot be are refused",
    arguments: ["0", "-3", "[1]", "[1,2,3]", "[0,4]", "65537"])
  func refused(text: String) {
    let settings = Data(#"{"centerCrop":{"size":\#(text)}}"#.utf8)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ImageTransform.self, from: settings)
    }
  }
}
