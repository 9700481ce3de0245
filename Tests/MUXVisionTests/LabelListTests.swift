// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Lists of images with several labels") struct LabelListTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func list(
    _ text: String, classNames: [String]? = nil, column: String? = nil, none: String? = nil
  ) throws -> ListDataSet {
    try ListDataSet(
      path: folder.write("list.csv", Array(text.utf8)), classNames: classNames,
      labelColumn: column, none: none, requiresFiles: false)
  }

  @Test("a column for each class, in their order")
  func columns() throws {
    let data = try list("image,zebra,ant\na.png,1,0\nb.png,1,1\n\"c, d.png\",0,0\n")
    #expect(data.classNames == ["zebra", "ant"])
    #expect((0..<3).map(data.target(at:)) == [.labels([0]), .labels([0, 1]), .labels([])])
    #expect(data.name(at: 2).hasSuffix("/c, d.png"))
    #expect(data.classCounts == [2, 1])
    let turned = try list("image,zebra,ant\na.png,1,0\n", classNames: ["ant", "zebra"])
    #expect(turned.target(at: 0) == .labels([1]))
  }

  @Test("one column of names, several with | between them; a name may stand for none")
  func names() throws {
    let text = "Image Index,Finding Labels,Patient Age\na.png,Mass|Edema,58\nb.png,No Finding,31\n"
    let data = try list(text, column: "Finding Labels", none: "No Finding")
    #expect(data.classNames == ["Edema", "Mass"])
    #expect((0..<2).map(data.target(at:)) == [.labels([0, 1]), .labels([])])
    let ordered = try list(
      text, classNames: ["Mass", "Edema", "Nodule"], column: "Finding Labels", none: "No Finding")
    #expect(ordered.target(at: 0) == .labels([0, 1]) && ordered.classNames.count == 3)
    #expect(try list("path,labels\na.png,x | y\nb.png,\n").target(at: 1) == .labels([]))
  }

  @Test("where each image has one class, the targets are classes")
  func single() throws {
    let data = try list("file,labels\na.png,cat\nb.png,dog\n")
    #expect((0..<2).map(data.target(at:)) == [.label(0), .label(1)])
    #expect(try list("file,label\na.png,cat|dog\n").classNames == ["cat|dog"], "one name")
  }

  @Test("the hash of the contents tells sets of classes apart")
  func hashes() throws {
    let hashes = try ["1,0", "0,1", "1,1", "0,0"].map {
      try list("image,a,b\nx.png,\($0)\n").contentHash
    }
    #expect(Set(hashes).count == 4)
  }

  @Test(
    "what cannot be read is named with its line",
    arguments: [
      ("image,a,b\nx.png,1\n", 2, "2 fields instead of 3"),
      ("image,a,b\nx.png,1,2\n", 2, "'2' in the column 'b' is neither 0 nor 1"),
      ("image,a,a\nx.png,1,0\n", 1, "each once"),
    ])
  func errors(text: String, line: Int, part: String) throws {
    let error = #expect(throws: DataSetError.self) { try list(text) }
    let description = error?.description ?? ""
    #expect(description.contains("list.csv:\(line): ") && description.contains(part))
    let column = #expect(throws: DataSetError.self) { try list(text, column: "none") }
    #expect(column?.description.contains("there is no column 'none'") == true)
  }

  @Test("images that are missing and images without labels are one line each")
  func files() throws {
    let path = try folder.write("list.csv", Array("image,a,b\nx.png,1,0\nsub/y.png,0,1\n".utf8))
    let error = #expect(throws: DataSetError.self) { try ListDataSet(path: path) }
    #expect(error?.description.contains("list.csv:2: there is no file ") == true)
    #expect(error?.description.contains("and 1 more such line") == true)
    let png = try noise(width: 4, height: 4).pngData()
    for name in ["x.png", "sub/y.png", "sub/z.png"] { try folder.write(name, png) }
    var data = try ListDataSet(path: path)
    #expect(data.warnings == [])
    data.noteUnlabelled()
    #expect(
      data.warnings.map(\.description)
        == ["1 image is not in \(path) and left out: sub/z.png"])
    #expect(try data.sample(at: 1).image.width == 4)
  }
}
