// SPDX-License-Identifier: Apache-2.0

import MUXImages
import MUXVision
import Testing

@Suite struct ImageFormatTests {
  @Test("every format has a name and extensions of its own, and is read or says why not")
  func table() {
    var seen: Set<String> = []
    for format in ImageFormat.allCases {
      #expect(!format.name.isEmpty && !format.fileExtensions.isEmpty)
      for end in format.fileExtensions {
        #expect(seen.insert(end).inserted, "\(end) twice")
        #expect(ImageFormat(fileName: "a.b.\(end)") == format)
        #expect(ImageFormat(fileName: "folder/É.\(end.uppercased())") == format)
        #expect(ImageFormat.isImageName("x.\(end)") == format.isReadable)
      }
      #expect(format.isReadable == (format.reasonUnread == nil))
      #expect(ImageFormat.readable.contains(format) == format.isReadable)
    }
    #expect(ImageFormat.readable.starts(with: [.jpeg, .png]))
  }

  @Test(
    "names of other files are no images",
    arguments: ["jpg", ".", "a.", "a.txt", "png/a", "a.jpgx", "a.jpg.txt", "a.ｊｐｇ", ""])
  func others(name: String) {
    #expect(ImageFormat(fileName: name) == nil)
    #expect(!ImageFormat.isImageName(name))
  }

  @Test("formats that are not read are told by their first bytes and named with a reason")
  func unread() throws {
    let heic = [0, 0, 0, 0x18] + Array("ftypheic".utf8) + [0, 0, 0, 0]
    #expect(ImageFormat(of: heic) == .heic)
    let error = #expect(throws: ImageError.self) { try Image(data: heic, name: "a.jpg") }
    #expect(
      try #require(error).description == "a.jpg: HEIC is not read; convert it to JPEG or PNG")
    #expect(ImageFormat(of: [0, 0, 0, 0x1c] + Array("ftypavif".utf8)) == .avif)
    #expect(ImageFormat(of: [0, 0, 0, 0x0c] + Array("jP  ".utf8)) == .jpeg2000)
    #expect(ImageFormat(of: Array("8BPS".utf8)) == .photoshop)
    #expect(ImageFormat(of: Array("BMW, 1987, red".utf8)) == nil)
    #expect(ImageFormat(of: Array("P5x".utf8)) == nil)
    #expect(ImageFormat(of: []) == nil)
  }
}
