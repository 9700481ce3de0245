// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXPaper
import MUXReport
import MUXTestSupport
import Testing

@Suite("Files of the paper's tables and figures")
struct ExhibitFileTests {
  @Test("An exhibit is written over a file where that was allowed")
  func replaced() throws {
    let folder = try TemporaryFolder()
    try folder.write("out/table4.md", Array("mine".utf8))
    let report = ReportFolder(path: folder("out"), overwrites: true)
    try report.prepare(["table4.md"])
    let exhibit = try Reproduction().exhibit(.table4)
    #expect(try report.write(exhibit, .markdown) == folder("out/table4.md"))
    let text = try String(contentsOfFile: folder("out/table4.md"), encoding: .utf8)
    #expect(text.hasPrefix("**Table 4.**"))
  }

  @Test("The page holds every exhibit and needs nothing from elsewhere")
  func page() throws {
    let folder = try TemporaryFolder()
    let report = ReportFolder(path: folder("page"))
    try report.prepare(["index.html"])
    let exhibits = try [ExhibitName.table3, .figure2, .figure9].map {
      try Reproduction().exhibit($0)
    }
    let path = try report.writePage(exhibits, machine: "<a machine>")
    let html = try String(contentsOfFile: path, encoding: .utf8)
    for exhibit in exhibits { #expect(html.contains("<section id=\"\(exhibit.name.rawValue)\">")) }
    #expect(html.contains("on &lt;a machine&gt;"))
    #expect(html.contains("class=\"n quoted\""))
    let withoutNamespace = html.replacing("http://www.w3.org/2000/svg", with: "")
    #expect(!withoutNamespace.contains("http") && !html.contains("<script"))
  }

  @Test("The picture of the documentation is figure 2 as it is made now")
  func picture() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "Sources/MUXNetworks/MUXNetworks.docc/Resources/figure2.svg")
    let figure = try Reproduction().exhibit(.figure2).picture().svg
    #expect(
      try String(contentsOf: file, encoding: .utf8) == figure, "run 'muxnet reproduce figure2'")
  }
}
