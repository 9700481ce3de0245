// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTestSupport
import Testing

@Suite(
  "Folders and texts that cannot be made or read are named with the reason", .tags(.waits),
  .endsSometime)
struct FolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func failure(making path: String) -> String {
    do throws(FileError) { try Folders.make(path) } catch { return "\(error)" }
    return "none"
  }

  @Test("a folder is made with those above it, and may be there already")
  func make() throws {
    for _ in 0..<2 { #expect(failure(making: folder("a/b//c/")) == "none") }
    try #require(symlink("a", folder("link")) == 0)
    #expect(failure(making: folder("link")) == "none")
    #expect(failure(making: folder("link/d")) == "none")
    #expect(FileManager.default.fileExists(atPath: folder("a/d")))
  }

  @Test("a file or a link that leads nowhere in the folder's place, or above it, is said")
  func inTheWay() throws {
    try folder.write("file", [1])
    try #require(symlink("nowhere", folder("dangling")) == 0)
    #expect(failure(making: folder("file")).contains("a file is in its place"))
    #expect(failure(making: folder("file/a/b")).contains("Not a directory"))
    #expect(
      failure(making: folder("dangling")).contains("a link is in its place that leads nowhere"))
    let below = failure(making: folder("dangling/a/b"))
    #expect(below.contains("\(folder("dangling")): a link is in its place"), "\(below)")
    #expect(failure(making: "/proc/none/a") != "none")
    #expect(!FileManager.default.fileExists(atPath: folder("nowhere")))
  }

  private func text(_ path: String, limit: Int = 100) -> String {
    do throws(FileError) { return try TextFile.read(path, limit: limit) } catch {
      return "error: \(error)"
    }
  }

  @Test("a text is read whole, up to its limit")
  func texts() throws {
    #expect(text(try folder.write("empty", [])) == "")
    let long = String(repeating: "ä", count: 100_000)
    let path = try folder.write("long", Array(long.utf8))
    #expect(text(path, limit: 200_000) == long)
    #expect(
      text(path, limit: 199_999).hasSuffix(
        "it is longer than 195 KiB, more than any such file needs"))
    #expect(text(folder("none")).contains("No such file"))
    #expect(text(folder.path).contains("directory"))
    #expect(text(try folder.write("bytes", [0x61, 0xff])).hasSuffix("it is no text (UTF-8)"))
  }

  @Test(
    "a device without an end is read up to the limit",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/zero"), "no /dev/zero here"))
  func endless() { #expect(text("/dev/zero", limit: 1 << 20).contains("longer than 1 MiB")) }

  @Test("a pipe is read to its end, and one into which nobody writes is not waited for")
  func pipes() throws {
    let path = folder("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    #expect {
      try TextFile.read(path, limit: 100, patience: 1)
    } throws: {
      "\($0)".contains("it is a pipe into which nothing was written for 1 seconds")
    }
    // Open for both, so that neither end waits for the other.
    let writer = open(path, O_RDWR)
    try #require(writer >= 0)
    try #require(write(writer, "text", 4) == 4)
    let closing = Thread {
      usleep(200_000)
      close(writer)
    }
    closing.start()
    #expect(text(path) == "text")
  }

  @Test("a file in a folder that is not there says which")
  func missingFolder() throws {
    #expect {
      try AtomicFile.write("text", to: folder("none/file"))
    } throws: {
      "\($0)" == "cannot write \(folder("none/file")): there is no folder \(folder("none"))"
    }
  }
}
