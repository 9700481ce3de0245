// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Names of classes in an export")
struct DataExportNameTests {
  /// Two images of every class.
  private struct Named: ImageDataSet {
    let classNames: [String]
    var count: Int { 2 * classNames.count }
    func target(at index: Int) -> Target { .label(index / 2) }
    func name(at index: Int) -> String { "image \(index)" }
    func image(at index: Int) throws -> Image { noise(width: 4, height: 3) }
  }

  @Test("no name of a class leads out of the folder, and no two classes share a folder")
  func hostile() throws {
    let classes = [
      "../../escaped", "..", ".", "", "/absolute", "a/b", "a\\b", "line\nbreak", "\u{1b}[31m", "\0",
      ".hidden", "\u{202e}gnp", String(repeating: "long é ", count: 60), "a_b", "A_B", "_", "_-3",
      "plain", "caf\u{e9}",
    ]
    let folder = try TemporaryFolder()
    let export = DataExport(Named(classNames: classes))
    let paths = try export.write(to: folder("deep/out"))
    #expect(paths == export.paths(in: folder("deep/out")))
    #expect(Set(paths).count == 2 * classes.count)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["deep"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("deep")) == ["out"])
    let made = try FileManager.default.contentsOfDirectory(atPath: folder("deep/out"))
    #expect(made.count == classes.count && Set(made.map { $0.lowercased() }).count == made.count)
    #expect(made.allSatisfy { $0.utf8.count <= 255 && !$0.hasPrefix(".") && $0 == $0.printable })
    #expect(made.contains("plain") && made.contains("caf\u{e9}"))
    for path in paths { #expect(FileManager.default.fileExists(atPath: path)) }
  }

  @Test("a link in the place of a class folder is not followed")
  func link() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("elsewhere")
    try folder.makeFolder("out")
    try #require(symlink(folder("elsewhere"), folder("out/cat")) == 0)
    #expect(throws: ImageError.self) {
      try DataExport(Named(classNames: ["cat"])).write(to: folder("out"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("elsewhere")).isEmpty)
  }
}

@Suite("Equal images in a check")
struct DataCheckDuplicateTests {
  @Test("images that are in two classes or two parts are pointed out")
  func duplicates() throws {
    let folder = try TemporaryFolder()
    let (one, two) = (
      try noise(width: 4, height: 3).pngData(), try noise(width: 5, height: 3).pngData()
    )
    for (name, bytes) in ["a/1": one, "a/2": one, "b/3": one, "b/4": two] {
      try folder.write("train/\(name).png", bytes)
    }
    try folder.write("val/b/9.png", two)
    let training = try ImageFolder(path: folder("train"))
    let first = DataCheck(training, threads: 1)
    #expect(first.duplicates == 2)
    #expect(
      first.warnings.count == 1 && first.warnings[0].contains("1 image is in several classes"))
    let validation = try ImageFolder(path: folder("val"))
    var second = DataCheck(validation, threads: 1)
    second.compare(validation, with: first, named: "train")
    #expect(second.warnings.contains { $0.hasPrefix("1 of 1 images are also in train") })
    second = DataCheck(validation, threads: 1)
    second.compare(validation, with: second, named: "itself")
    let text = String(decoding: try JSONEncoder().encode(first), as: UTF8.self)
    #expect(!text.contains("pixelHashes"))
  }
}
