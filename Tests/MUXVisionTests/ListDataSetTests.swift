// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Lists of images and classes")
struct ListDataSetTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let png = try noise(width: 4, height: 3).pngData()
    for name in ["a.png", "b.png", "images/a, b.png"] { try folder.write(name, png) }
  }

  private func list(_ text: String, known: [String]? = nil) throws -> ListDataSet {
    try list(Array(text.utf8), known: known)
  }

  private func list(_ bytes: [UInt8], known: [String]? = nil) throws -> ListDataSet {
    try ListDataSet(path: try folder.write("list.csv", bytes), classNames: known)
  }

  private func contents(_ data: ListDataSet) -> [String] {
    (0..<data.count).map {
      "\(data.name(at: $0).dropFirst(folder.path.utf8.count + 1)) \(data.classNames[data.target(at: $0).classes[0]])"
    }
  }

  @Test(
    "quotes, line ends, byte order marks, other columns and comments change nothing",
    arguments: [
      "path,label\na.png,dog\nb.png,cat\n",
      "\u{feff}path,label\r\na.png,dog\r\nb.png,cat",
      "path,label\ra.png,dog\r\rb.png,cat\r",
      "# made by hand\nLabel, extra ,FILENAME\ndog,1,a.png\n\"cat\",\"x,\n y\",\"b.png\"\n",
      "a.png,dog\n  b.png ,\tcat\n# end\n",
      "./a.png,dog\nb.png,cat",
    ])
  func forms(text: String) throws {
    let data = try list(text)
    #expect(data.classNames == ["cat", "dog"])
    #expect((0..<2).map { data.target(at: $0) } == [.label(1), .label(0)])
    #expect(try data.image(at: 0).width == 4 && data.image(at: 1).width == 4)
  }

  @Test("names with commas stand in quotes, or anywhere in a list without names of columns")
  func commas() throws {
    #expect(
      contents(try list("images/a, b.png,dog\na.png,cat")) == ["images/a, b.png dog", "a.png cat"])
    #expect(
      contents(try list("path,label\n\"images/a, b.png\",\"a \"\"dog\"\"\""))
        == ["images/a, b.png a \"dog\""])
  }

  @Test(
    "what is wrong is one line with its number",
    arguments: [
      ("path,label\na.png,dog\nb.png\n", 3, "no label"),
      ("path,label\na.png,\n", 2, "no label"),
      ("path,label\n,dog\n", 2, "no path"),
      ("path,label\na.png,dog\nnone.png,dog\nb.png,cat\nnone2.png,cat", 3, "and 1 more"),
      ("path,label\na.png,dog\n\nb.png,cat\n./a.png,cat\n", 5, "stands in line 2 already"),
      ("path,label\na.png,dog,1\n", 2, "3 fields instead of 2"),
      ("path,label\n\"a.png,dog\n", 2, "never closed"),
      ("path,label\n\"a.png\"x,dog\n", 2, "follows a closed quote"),
      ("path;label\na.png;dog\n", 1, "separated by commas"),
      ("path,kind\na.png,dog\n", 1, "no column 'label'"),
      ("path,label\na.heic,dog\n", 2, "HEIC is not read"),
      ("path,label\n", 1, "no image"),
      ("", 1, "no image"),
    ])
  func errors(text: String, line: Int, part: String) throws {
    #expect {
      try list(text)
    } throws: {
      guard case DataSetError.wrongLine(_, line, let reason) = $0 else { return false }
      return reason.contains(part) && !"\($0)".contains("\n")
    }
  }

  @Test("text in other encodings is an error")
  func encodings() throws {
    for bytes: [UInt8] in [
      [0xff, 0xfe, 0x61, 0, 0x2c, 0, 0x62, 0], Array("a.png,".utf8) + [0xe9],
      Array("a.png,d".utf8) + [0],
    ] {
      #expect {
        try list(bytes)
      } throws: { error in
        guard case DataSetError.wrongLine(_, 1, let reason) = error else { return false }
        return reason.contains("UTF-")
      }
    }
  }

  @Test("given classes fix the labels; others are errors; composed and decomposed are one")
  func classes() throws {
    let data = try list("a.png,caf\u{e9}\nb.png,cafe\u{301}", known: ["x", "cafe\u{301}"])
    #expect(data.target(at: 0) == .label(1) && data.target(at: 1) == .label(1))
    #expect(data.warnings == [.emptyClasses(["x"])])
    #expect(throws: DataSetError.self) { try list("a.png,dog", known: ["cat"]) }
  }

  @Test("a check opens lists, and missing images are broken ones")
  func check() throws {
    let path = try folder.write("photos.csv", Array("a.png,dog\nnone.png,cat\n".utf8))
    let data = try DataSetPart.all(at: path)[0].content.get()
    let check = DataCheck(data, threads: 1)
    #expect(check.samples == 2 && check.broken.map(\.index) == [1])
    try folder.write("train.csv", Array("a.png,dog\n".utf8))
    try folder.write("val.csv", Array("b.png,dog\n".utf8))
    #expect(
      try DataSetPart.all(at: folder.path).map(\.name) == [folder("train.csv"), folder("val.csv")])
  }

  @Test("the hash follows paths, labels and sizes, not the place")
  func hash() throws {
    let first = try list("a.png,dog\nb.png,cat").contentHash
    #expect(try list("a.png,cat\nb.png,dog").contentHash != first)
    #expect(try list("b.png,cat\na.png,dog").contentHash != first)
    #expect(try list("\"a.png\",dog\r\nb.png,cat").contentHash == first)
    try folder.write("b.png", try noise(width: 9, height: 9).pngData())
    #expect(try list("a.png,dog\nb.png,cat").contentHash != first)
  }
}
