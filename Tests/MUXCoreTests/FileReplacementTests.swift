// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTestSupport
import Testing

@Suite("What a file may take the place of")
struct FileReplacementTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What writing says; a check before says the same.
  private func failure(writing path: String) -> String {
    var expected = "none"
    do throws(FileError) { try AtomicFile.check(path) } catch { expected = "\(error)" }
    do throws(FileError) { try AtomicFile.write("text", to: path) } catch {
      #expect("\(error)" == expected)
      return "\(error)"
    }
    #expect(expected == "none")
    return "none"
  }

  @Test("a check writes nothing, neither beside a file that is there nor in the place of one")
  func check() throws {
    let path = try folder.write("file", [1])
    try AtomicFile.check(path)
    try AtomicFile.check(folder("new"))
    #expect(throws: FileError.self) { try AtomicFile.check(folder("nowhere/new")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1]))
  }

  @Test("what killed processes have left is removed, and nothing that somebody may still write")
  func leftovers() throws {
    let (gone, own) = ("99999999", "\(getpid())")
    for name in [
      ".a.png.\(gone).1.partial", ".b.\(gone).2.partial", ".a.\(own).1.partial",
      ".a.\(gone).partial", "a.\(gone).1.partial", ".fresh.\(gone).1.partial", ".1.partial",
    ] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: name.hasPrefix(".fresh") ? 0 : -60)],
        ofItemAtPath: folder.write(name, [1]))
    }
    AtomicFile.removeLeftovers(in: folder.path)
    #expect(
      try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == [
        ".1.partial", ".a.\(gone).partial", ".a.\(own).1.partial", ".fresh.\(gone).1.partial",
        "a.\(gone).1.partial",
      ])
    AtomicFile.removeLeftovers(in: folder("nowhere"))
  }

  @Test("a regular file is replaced")
  func regular() throws {
    let path = try folder.write("file", [1])
    #expect(failure(writing: path) == "none")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "text")
  }

  @Test("devices, pipes, links and folders stay what they are, and are named")
  func special() throws {
    #expect(
      failure(writing: "/dev/null").hasSuffix("/dev/null: it is a device; name a regular file"))
    try #require(mkfifo(folder("pipe"), 0o600) == 0)
    #expect(failure(writing: folder("pipe")).contains("a named pipe"))
    let target = try folder.write("target", [7])
    try #require(symlink("target", folder("link")) == 0)
    #expect(failure(writing: folder("link")).contains("a link to target"))
    #expect(try Data(contentsOf: URL(filePath: target)) == Data([7]))
    try #require(symlink("nowhere", folder("dangling")) == 0)
    #expect(failure(writing: folder("dangling")).contains("a link to nowhere"))
    try folder.makeFolder("folder")
    #expect(failure(writing: folder("folder")).hasPrefix("cannot replace \(folder("folder")): "))
    // Nothing was left behind, and nothing has become a file.
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["dangling", "folder", "link", "pipe", "target"])
  }

  @Test("what takes the place while the file is written is not replaced either")
  func late() throws {
    var file = try AtomicFile(path: folder("late"))
    try file.write([1])
    try #require(symlink("target", folder("late")) == 0)
    var failure: FileError?
    do throws(FileError) { try file.commit() } catch { failure = error }
    #expect(failure?.reason?.contains("a link to target") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["late"])
  }

  @Test("the longest name that a file system takes can be written")
  func longName() throws {
    let path = folder(String(repeating: "é", count: 127))
    #expect(failure(writing: path) == "none")
    #expect(FileManager.default.fileExists(atPath: path))
  }
}
