// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

@Suite("reproduce and draw", .tags(.processes), .endsSometime)
struct ReportCommandTests {
  @Test("A table goes to the standard output, each number with its source")
  func table() throws {
    let outcome = try Muxnet.run(["reproduce", "table4", "--format", "csv"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("network,parameters,parameters_source,parameters_paper,"))
    #expect(outcome.output.contains("MUXNet-m,2091210,computed,2100000,quoted,"))
    let json = try Muxnet.json(["reproduce", "table3", "--format", "json"])
    #expect((json["rows"] as? [Any])?.isEmpty == false)
  }

  @Test("Table 1 has no latencies if none are asked for")
  func noLatency() throws {
    let outcome = try Muxnet.run(["reproduce", "table1", "--runs", "0", "--format", "csv"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(!outcome.output.contains("_ms_batch1"))
  }

  @Test("A figure is an SVG picture; into a folder it goes under its name, once")
  func figure() throws {
    let folder = try TemporaryFolder()
    let picture = try Muxnet.run(["reproduce", "figure2"])
    #expect(picture.code == 0 && picture.output.hasPrefix("<svg "))
    let arguments = ["reproduce", "figure2", "--output", folder("out/deep")]
    let first = try Muxnet.run(arguments)
    #expect(first.code == 0, "\(first.errors)")
    #expect(
      try String(contentsOfFile: folder("out/deep/figure2.svg"), encoding: .utf8)
        == picture.output)
    let second = try Muxnet.run(arguments)
    #expect(second.code == 1)
    #expect(second.errorLines.count == 1)
    #expect(second.errors.contains("out/deep/figure2.svg exists"))
    #expect(try Muxnet.run(arguments + ["--overwrite"]).code == 0)
  }

  @Test("Everything goes into one folder with a page")
  func all() throws {
    let folder = try TemporaryFolder()
    let outcome = try Muxnet.run([
      "reproduce", "all", "--runs", "0", "--format", "markdown", "--output", folder("all"),
    ])
    #expect(outcome.code == 0, "\(outcome.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder("all"))
    #expect(files.count == 11 && files.contains("index.html") && files.contains("figure9.md"))
    let again = try Muxnet.run([
      "reproduce", "all", "--runs", "0", "--format", "json", "--output", folder("all"),
    ])
    #expect(again.code == 1 && again.errors.contains("index.html exists"))
  }

  @Test(
    "Wrong requests are one line",
    arguments: [
      (["reproduce", "tabel1"], 1, "did you mean table1"),
      (["reproduce", "figure3"], 1, "did you mean figure"),
      (["reproduce", "table1", "--format", "svg"], 1, "is a table without a picture"),
      (["reproduce", "table1", "--results", "/no/such/folder"], 1, "does not exist"),
      (["reproduce", "table1", "--runs", "-1"], 64, "--runs"),
      (["reproduce", "figure2", "--format", "png"], 64, "needs --output"),
      (["reproduce", "table4", "--output", "/dev/null/folder"], 1, "/dev/null/folder"),
      (["draw", "muxnet_q"], 1, "did you mean"),
      (["draw", "muxnet_m", "--format", "png"], 64, "needs --output"),
      (["draw", "muxnet_m", "--output", "/no/such/folder/a.svg"], 1, "/no/such/folder/a.svg"),
      (["draw", "muxnet_m", "--output", "/"], 1, "it is a folder"),
    ] as [([String], Int32, String)])
  func errors(arguments: [String], code: Int32, text: String) throws {
    let outcome = try Muxnet.run(arguments)
    #expect(outcome.code == code)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains(text))
  }

  @Test("PNG without librsvg is one line that says what to install, and nothing is written")
  func noLibrary() throws {
    let folder = try TemporaryFolder()
    for arguments in [
      ["draw", "muxnet_xs", "--output", folder("a.png")],
      ["reproduce", "figure2", "--format", "png", "--output", folder("out")],
    ] {
      let outcome = try Muxnet.run(arguments, environment: ["PATH": "/nowhere"])
      #expect(outcome.code == 1)
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains("librsvg2-bin"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("A network is drawn with its options, into a file that is not there yet")
  func draw() throws {
    let folder = try TemporaryFolder()
    let arguments = ["draw", "muxnet_xs", "--classes", "7", "--output", folder("a.svg")]
    #expect(try Muxnet.run(arguments).code == 0)
    let picture = try String(contentsOfFile: folder("a.svg"), encoding: .utf8)
    #expect(picture.contains("linear →7") && picture.contains("↓2"))
    let again = try Muxnet.run(arguments)
    #expect(again.code == 1 && again.errors.contains("exists"))
    #expect(try Muxnet.run(arguments + ["--overwrite"]).code == 0)
    #expect(try Muxnet.run(["draw", "muxnet_xs", "--classes", "7"]).output == picture)
  }
}
