// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Folders whose images are scaled down once") struct FolderPreparationTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for number in 0..<40 {
      try folder.write(
        "source/images_\(number % 2)/\(number).png",
        noise(width: 30 + number % 3, height: 24, channels: 1, seed: UInt64(number)).pngData())
    }
    try folder.write("source/small.png", noise(width: 40, height: 9).pngData())
    try folder.write("source/lists/test_list.txt", Array("0.png\n".utf8))
    try folder.write("source/labels.csv", Array("path,label\n".utf8))
    try folder.write("source/notes.md", Array("not copied\n".utf8))
  }

  private func preparation(
    _ destination: String = "new", side: Int = 12, source: String = "source"
  ) throws -> FolderPreparation {
    try FolderPreparation(source: folder(source), destination: folder(destination), side: side)
  }

  private func files(_ name: String) throws -> [String: [UInt8]] {
    let base = folder(name)
    var found: [String: [UInt8]] = [:]
    for path in FileManager.default.enumerator(atPath: base) ?? .init() {
      guard let path = path as? String,
        let bytes = FileManager.default.contents(atPath: "\(base)/\(path)")
      else { continue }
      found[path] = [UInt8](bytes)
    }
    return found
  }

  @Test("images are scaled, small ones and lists copied, all under their paths")
  func all() throws {
    let outcome = try preparation().run(threads: 3)
    #expect(outcome.scaled == 40 && outcome.copied == 1 && outcome.before == 0)
    #expect(outcome.isComplete && outcome.broken.isEmpty && outcome.renamed == 0)
    let image = try Image(contentsOfFile: folder("new/images_1/1.png"))
    #expect(image.height == 12 && image.width == 15 && image.channels == 1)
    let whole = try Image(contentsOfFile: folder("source/images_1/1.png"))
    #expect(try Resize(shorterSide: 12).apply(to: whole) == image)
    let (old, new) = (try files("source"), try files("new"))
    for path in ["small.png", "lists/test_list.txt", "labels.csv"] {
      #expect(new[path] != nil && new[path] == old[path])
    }
    #expect(new["notes.md"] == nil && new.count == 44)
  }

  @Test("what was broken off goes on, and ends as if it had not been")
  func brokenOff() throws {
    let whole = try preparation("whole").run()
    #expect(whole.isComplete)
    let first = try preparation().run(threads: 2) { $0 < 20 }
    #expect(!first.isComplete && first.scaled == 32)
    // A file of a process that was killed while writing.
    try folder.write("new/images_0/.0.png.123.1.partial", [1, 2, 3])
    // The same long ago, of an image that is there by now.
    let old = try folder.write("new/images_1/.1.png.99999999.7.partial", [1])
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: old)
    var seen: [Int] = []
    let second = try preparation().run(threads: 2) {
      seen.append($0)
      return true
    }
    #expect(seen.first == 32 && seen.last == 41)
    #expect(second.isComplete && second.before == 32 && second.scaled + second.copied == 9)
    var new = try files("new")
    new["images_0/.0.png.123.1.partial"] = nil
    #expect(try files("whole") == new)
    let third = try preparation().run()
    #expect(third.before == 41 && third.scaled == 0 && third.isComplete)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test(
    "a folder that has other things in it, or another preparation, is refused and left as it is")
  func full() throws {
    try folder.write("full/letter.txt", [1])
    #expect(message { _ = try preparation("full") }.contains("has other things in it (letter.txt)"))
    #expect(try files("full").count == 1)
    _ = try preparation().run()
    #expect(message { _ = try preparation(side: 13) }.contains("sides of 12"))
    try folder.write("other/1.png", noise(width: 3, height: 3).pngData())
    #expect(message { _ = try preparation(source: "other") }.contains("prepared in it already"))
    #expect(message { _ = try preparation("source/new") }.contains("it lies in"))
    #expect(message { _ = try preparation("source") }.contains("it lies in"))
    #expect(message { _ = try preparation("source/small.png") }.contains("it is a file"))
    #expect(message { _ = try preparation(source: "nowhere") }.contains("no such folder"))
    try folder.makeFolder("empty")
    #expect(message { _ = try preparation(source: "empty") }.contains("no image"))
    try folder.write("new/prepared.json", [1])
    #expect(message { _ = try preparation() }.contains("damaged"))
  }

  @Test(
    "a folder that takes no files is an error with its path",
    .enabled(if: geteuid() != 0, "the superuser writes everywhere"))
  func readOnly() throws {
    try folder.makeFolder("closed")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o555], ofItemAtPath: folder("closed"))
    #expect(message { _ = try preparation("closed").run() }.contains("closed"))
    #expect(message { _ = try preparation("closed/new").run() }.contains("closed/new"))
  }

  @Test("a place that no folder can have is an error with its path")
  func noFolder() throws {
    try folder.write("file", [1])
    #expect(message { _ = try preparation("file/new").run() }.contains("file/new"))
    #expect(message { _ = try preparation("x/\(String(repeating: "y", count: 300))").run() } != "")
  }

  @Test("broken images are named and left out; the others are prepared")
  func broken() throws {
    try folder.write("source/images_0/2.png", [0x89, 0x50, 0x4e, 0x47, 9, 9])
    try folder.write("source/images_1/3.png", [])
    let outcome = try preparation().run()
    #expect(outcome.broken.map(\.name).sorted().map { $0.hasSuffix(".png") } == [true, true])
    #expect(outcome.broken.allSatisfy { !$0.reason.contains($0.name) && !$0.reason.isEmpty })
    #expect(outcome.scaled == 38 && outcome.isComplete)
    // Once fixed, they are all that is left to do.
    try folder.write("source/images_0/2.png", noise(width: 30, height: 30).pngData())
    try folder.write("source/images_1/3.png", noise(width: 30, height: 30).pngData())
    let again = try preparation().run()
    #expect(again.before == 39 && again.scaled == 2 && again.broken.isEmpty)
  }

  @Test("scaled images of other formats become PNG files; two of one name are refused")
  func otherFormats() throws {
    try folder.write("photos/a/plain.jpg", Fixture.bytes("plain.jpg"))
    let outcome = try preparation("small", side: 8, source: "photos").run()
    #expect(outcome.renamed == 1)
    let image = try Image(contentsOfFile: folder("small/a/plain.png"))
    #expect(min(image.width, image.height) == 8)
    #expect(try preparation("small", side: 8, source: "photos").run().before == 1)
    try folder.write("photos/a/plain.png", Fixture.bytes("grey.png"))
    #expect(message { _ = try preparation("third", source: "photos") }.contains("rename one"))
  }
}
