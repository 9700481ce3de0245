// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Links, names and formats in folders of images")
struct ImageFolderLinkTests {
  private let png: [UInt8]
  private let folder: TemporaryFolder

  init() throws {
    png = try noise(width: 4, height: 3).pngData()
    folder = try TemporaryFolder()
  }

  private func fill(_ classes: [String], in part: String = "set", count: Int = 6) throws {
    for name in classes {
      for index in 0..<count { try folder.write("\(part)/\(name)/\(index).png", png) }
    }
  }

  private func link(_ name: String, to target: String) throws {
    try #require(symlink(target, folder(name)) == 0)
  }

  private func group(_ data: ImageFolder, _ reason: LeftOut.Reason) -> LeftOut.Group? {
    data.leftOut.groups.first { $0.reason == reason }
  }

  @Test(
    "links that lead back are left out and named; the counts are those of the files",
    arguments: [
      ["up": ".."], ["up": "..", "here": "."], ["root": "../.."], ["a": "../a"],
      ["deep": "../../../../../../.."],
    ])
  func circles(links: [String: String]) throws {
    try fill(["a", "b", "c"])
    try fill(["a"], in: "other")
    for (name, target) in links { try link("set/b/\(name)", to: target) }
    let data = try ImageFolder(path: folder("set"))
    #expect(data.classNames == ["a", "b", "c"] && data.classCounts == [6, 6, 6])
    let circle = try #require(group(data, .circle))
    #expect(circle.count == links.count)
    #expect(circle.example.hasPrefix(folder("set/b/")))
    #expect(circle.description.contains("leads back"))
  }

  @Test("classes that link to each other, and a class that links to all, keep their own images")
  func mutual() throws {
    try fill(["a", "b"])
    try link("set/a/more", to: "../b")
    try link("set/b/more", to: "../a")
    try link("set/all", to: ".")
    let data = try ImageFolder(path: folder("set"))
    #expect(data.classNames == ["a", "b"] && data.classCounts == [6, 6])
    #expect(group(data, .circle)?.count == 3)
  }

  @Test("links that fork at every level are visited once each")
  func forks() throws {
    try fill(["b"])
    // Less than the 40 links that the system follows on one way.
    for level in 0..<24 {
      try folder.makeFolder("pool/\(level)")
      try link("pool/\(level)/x", to: "../\(level + 1)")
      try link("pool/\(level)/y", to: "../\(level + 1)")
    }
    try fill(["24"], in: "pool", count: 2)
    try link("set/b/pool", to: folder("pool/0"))
    let data = try ImageFolder(path: folder("set"))
    #expect(data.count == 8)
  }

  @Test("links to folders and files elsewhere, and a link to the whole set, go on working")
  func elsewhere() throws {
    try fill(["a", "b"])
    try fill(["more"], in: "pool", count: 3)
    try folder.write("pool/one.png", png)
    try link("set/a/more", to: "../../pool/more")
    try link("set/b/one.png", to: "../../pool/one.png")
    try fill(["third"], in: "pool", count: 3)
    try link("set/c", to: "../pool/third")
    try link("pool/more/up", to: "..")
    try link("pool/third/up", to: "..")
    try link("alias", to: "set")
    for path in [folder("set"), folder("alias"), folder("alias/")] {
      let data = try ImageFolder(path: path)
      #expect(data.classCounts == [9, 7, 3])
      #expect(try data.image(at: 0).width == 4)
      #expect(group(data, .circle)?.count == 2)
    }
    #expect(try ImageFiles([folder("alias")]).paths.count == 19)
  }

  @Test("two classes that are one folder by a link are pointed out")
  func shared() throws {
    try fill(["cat"])
    try link("set/kitten", to: "cat")
    #expect(try ImageFolder(path: folder("set")).warnings == [.sharedFolder(["cat", "kitten"])])
  }

  @Test("links that lead nowhere are counted, or broken images")
  func dangling() throws {
    try fill(["a"])
    try link("set/gone", to: "nowhere")
    try link("set/a/gone", to: "nowhere")
    try link("set/a/9.png", to: "nowhere.png")
    let data = try ImageFolder(path: folder("set"))
    #expect(data.count == 7 && group(data, .brokenLink)?.count == 2)
    #expect(throws: ImageError.self) { try data.image(at: 6) }
  }

  @Test("files of formats that are not read and images of no class are counted and named")
  func unread() throws {
    try fill(["a", "b"], count: 1)
    for name in ["a/1.JPG", "a/2.jfif", "a/3.jpe"] { try folder.write("set/\(name)", png) }
    for name in ["a/x.unread-.HEIC", "b/y.heic", "b/z.Psd", "w.psd"] {
      try folder.write("set/\(name)", png)
    }
    for name in ["a/Thumbs.db", "a/notes.txt", "b/.hidden.psd"] {
      try folder.write("set/\(name)", [])
    }
    try folder.write("set/beside.png", png)
    let data = try ImageFolder(path: folder("set"))
    #expect(data.classCounts == [4, 1])
    let formats = try #require(group(data, .unreadFormat))
    #expect(formats.count == 4 && formats.formats == ["heic": 2, "psd": 2])
    #expect(formats.description.contains("2 .heic, 2 .psd"))
    #expect(formats.example == folder("set/w.psd"))
    #expect(group(data, .withoutClass)?.count == 1)
    #expect(data.leftOut.count == 5 && data.leftOut.descriptions.count == 2)
  }

  @Test("without one image that can be read, the error says what there is")
  func nothingRead() throws {
    try folder.write("set/a/1.heic", png)
    #expect {
      try ImageFolder(path: folder("set"))
    } throws: {
      "\($0)".contains("1 .heic") && "\($0)".hasPrefix("\(folder("set")): it holds no image")
    }
  }

  @Test("what systems and notebooks leave behind is passed over, unless it is named itself")
  func hidden() throws {
    try fill(["a"], count: 3)
    for name in [
      "a/.ipynb_checkpoints/0.png", "a/._0.png", "__MACOSX/a/._0.png", "__MACOSX/b.png",
      "lost+found/x.png", ".DS_Store", ".cache/c/1.png",
    ] { try folder.write("set/\(name)", png) }
    #expect(try ImageFolder(path: folder("set")).classCounts == [3])
    #expect(
      try ImageFiles([folder("set")]).paths.map { String($0.dropFirst(folder("set/").count)) }
        == ["a/0.png", "a/1.png", "a/2.png"])
    #expect(try ImageFiles([folder("set/.cache"), folder("set/a/._0.png")]).paths.count == 2)
  }

  @Test("classes are sorted by code points as they are on disk, in composed and decomposed form")
  func order() throws {
    let composed = "caf\u{e9}"
    let decomposed = "cafe\u{301}"
    try fill(["cafe", decomposed, "cafz"])
    #expect(
      try ImageFolder(path: folder("set")).classNames.map { Array($0.utf8) }
        == ["cafe", decomposed, "cafz"].map { Array($0.utf8) })
    try fill(["cafe", composed, "cafz"], in: "composed")
    let training = try ImageFolder(path: folder("composed"))
    #expect(training.classNames.map { Array($0.utf8) }.last == Array(composed.utf8))
    // Folders are opened by the names that they have.
    let validation = try ImageFolder(path: folder("set"), classNames: training.classNames)
    #expect(validation.classCounts == [6, 6, 6])
    #expect(validation.target(at: 17) == .label(2))
    #expect(try validation.image(at: 17).width == 4)
    #expect(Array(validation.name(at: 17).utf8).contains(0xcc))
  }

  @Test("two folders of one name in both forms are an error; by case they are a warning")
  func twins() throws {
    try fill(["Dog", "dog", "cat"])
    #expect(try ImageFolder(path: folder("set")).warnings == [.similarClasses(["Dog", "dog"])])
    try fill(["caf\u{e9}", "cafe\u{301}"])
    #expect(throws: DataSetError.twinClasses(path: folder("set"), classes: ["caf\u{e9}"])) {
      try ImageFolder(path: folder("set"))
    }
  }

  @Test("files whose names are not UTF-8 are counted and named; such a class is an error")
  func misnamed() throws {
    try fill(["a"])
    func make(_ bytes: [UInt8], in part: String) throws {
      let path =
        Array("\(folder(part))/".utf8).map { CChar(bitPattern: $0) }
        + bytes.map { CChar(bitPattern: $0) } + [0]
      let file = path.withUnsafeBufferPointer { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
      try #require(file >= 0)
      close(file)
    }
    try make([0x63, 0xe9, 0x2e, 0x70, 0x6e, 0x67], in: "set/a")
    try make([0xff, 0x2e, 0x74, 0x78, 0x74], in: "set/a")
    let data = try ImageFolder(path: folder("set"))
    #expect(data.count == 6)
    #expect(group(data, .misnamed)?.example == folder("set/a/c\\xE9.png"))
    #expect(group(data, .misnamed)?.count == 1)
    let path = Array("\(folder("set"))/".utf8).map { CChar(bitPattern: $0) } + [-1, 0]
    try #require(path.withUnsafeBufferPointer { mkdir($0.baseAddress!, 0o755) } == 0)
    #expect(throws: DataSetError.misnamedClass(path: folder("set"), name: "\\xFF")) {
      try ImageFolder(path: folder("set"))
    }
  }

  @Test("control characters of names never stand in messages")
  func control() throws {
    try fill(["a\u{1b}[31m\nb"], count: 1)
    try folder.write("set/a\u{1b}[31m\nb/\u{202e}x.psd", png)
    let data = try ImageFolder(path: folder("set"))
    let text = (data.warnings.map(\.description) + data.leftOut.descriptions).joined()
    #expect(text.contains("a\\u{1b}[31m\\nb"))
    #expect(text.contains("\\u{202e}x.psd"))
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e })
  }
}

@Suite("How folders of images are arranged")
struct FolderLayoutTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func layout(_ files: [String], folders: [String] = []) throws -> FolderLayout {
    let png = try noise(width: 4, height: 3).pngData()
    for file in files { try folder.write(file, png) }
    for name in folders { try folder.makeFolder(name) }
    return try FolderLayout(folder.path)
  }

  @Test("parts hold folders of classes")
  func parts() throws {
    let found = try layout(["train/a/1.png", "valid/a/1.png", "test/x/y/1.png", "spare/1.png"])
    #expect(
      found
        == .parts(
          [
            .init(role: .training, folder: "train"), .init(role: .validation, folder: "valid"),
            .init(role: .test, folder: "test"),
          ], beside: ["spare"]))
    #expect(found.folder(of: .validation) == "valid")
  }

  @Test("a folder that is called like a part and holds images itself is a class")
  func classes() throws {
    #expect(try layout(["bus/1.png", "car/1.png"]) == .classes)
    #expect(try layout(["train/1.png"]) == .classes)
    #expect(try layout(["val/1.png", "test/1.png"]) == .classes)
    // Also one that has both, beside other classes.
    #expect(try layout(["train/steam/1.png"]) == .classes)
  }

  @Test("images that lie in a part by mistake do not make it a class")
  func strayImages() throws {
    #expect(
      try layout(["train/a/1.png", "train/stray.png"])
        == .parts([.init(role: .training, folder: "train")], beside: []))
  }

  @Test("empty parts are parts, an empty class beside others is a class")
  func empty() throws {
    #expect(
      try layout([], folders: ["train", "test/a"])
        == .parts(
          [.init(role: .training, folder: "train"), .init(role: .test, folder: "test")],
          beside: []))
    #expect(try layout(["bus/1.png"]) == .classes)
  }

  @Test("a check opens every part, whatever is wrong with another")
  func checkedParts() throws {
    _ = try layout(["train/a/1.png", "train/b/1.png", "val/b/2.png"], folders: ["test/a"])
    try folder.write("val/c/3.png", [])
    let parts = try DataSetPart.all(at: folder.path)
    #expect(parts.map(\.name) == ["train", "val", "test"].map { folder($0) })
    #expect(try parts[0].content.get().classCounts == [1, 1])
    #expect(throws: DataSetError.self) { try parts[1].content.get() }
    #expect(throws: DataSetError.self) { try parts[2].content.get() }
  }
}
