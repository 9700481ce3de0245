// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXReport
import MUXTestSupport
import Testing

@Suite("Files of reports")
struct ReportFolderTests {
  @Test("Files that exist are left alone, unless they may be replaced")
  func existing() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/best.yaml", Array("mine".utf8))
    #expect(throws: ReportError.exists(path: folder("out/best.yaml"))) {
      try ReportFolder(path: folder("out")).prepare(["new.yaml", "best.yaml"])
    }
    try ReportFolder(path: folder("out"), overwrites: true).prepare(["best.yaml"])
    #expect(try String(contentsOfFile: folder("out/best.yaml"), encoding: .utf8) == "mine")
    #expect(!FileManager.default.fileExists(atPath: folder("out/new.yaml")))
  }

  @Test("A database, and what a command reads, are not replaced, whatever else may be")
  func precious() throws {
    let folder = try TemporaryFolder()
    try folder.write("studies.db", Array("SQLite format 3\0 and pages".utf8))
    try folder.write("net.yaml", [1])
    try folder.write("old.svg", [1])
    try #require(symlink("net.yaml", folder("link.yaml")) == 0)
    func reason(_ name: String, inputs: [String] = []) -> String? {
      do throws(ReportError) {
        try ReportFile.check(folder(name), overwrites: true, inputs: inputs.map { folder($0) })
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(reason("studies.db")?.contains("it is a database") == true)
    #expect(reason("net.yaml", inputs: ["link.yaml"])?.contains("reads this file") == true)
    #expect(reason("net.yaml", inputs: ["none.yaml", "old.svg"]) == nil)
    #expect(reason("old.svg", inputs: ["net.yaml"]) == nil)
    #expect(reason("new.svg", inputs: ["none.yaml"]) == nil)
  }

  @Test("A file in the folder's place, and a folder that cannot be made")
  func impossibleFolders() throws {
    let folder = try TemporaryFolder()
    try folder.write("file", [1])
    let reason = "it is a file; give a folder"
    #expect(throws: ReportError.unwritable(path: folder("file"), reason: reason)) {
      try ReportFolder(path: folder("file")).prepare([])
    }
    let error = #expect(throws: ReportError.self) {
      try ReportFolder(path: folder("file/inside")).prepare([])
    }
    #expect(error?.description.hasPrefix("cannot write \(folder("file/inside")): ") == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test("A single file: existing ones and folders are refused")
  func singleFile() throws {
    let folder = try TemporaryFolder()
    try ReportFile.write([1], to: folder("a.svg"), overwrites: false)
    #expect(throws: ReportError.exists(path: folder("a.svg"))) {
      try ReportFile.write([2], to: folder("a.svg"), overwrites: false)
    }
    try ReportFile.write([2], to: folder("a.svg"), overwrites: true)
    #expect(try Data(contentsOf: URL(filePath: folder("a.svg"))) == Data([2]))
    #expect(throws: ReportError.self) {
      try ReportFile.write([1], to: folder.path, overwrites: true)
    }
  }
}
