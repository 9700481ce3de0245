// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXTestSupport
import Testing

@Suite("run list, run report, run compare", .tags(.processes), .endsSometime)
struct RunCommandTests {
  /// A finished run of an earlier version, whose images are in the program.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["a", "b"] {
      try FileManager.default.copyItem(
        atPath: EarlierVersion("0.1").path("whole"), toPath: folder(name))
    }
    return folder
  }

  @Test("a report goes into the run's folder, or into a file that is not there yet")
  func report() throws {
    let folder = try folder()
    let made = try Muxnet.run(["run", "report", "a", "--images", "3"], in: folder.path)
    #expect(made.code == 0 && made.errors.hasSuffix("wrote a/report.html\n"), "\(made.errors)")
    let html = try String(contentsOfFile: folder("a/report.html"), encoding: .utf8)
    #if TORCH
      // An image and what mattered in it.
      #expect(html.matches(of: /<img\s/).count == 6)
    #else
      #expect(html.matches(of: /<img\s/).count == 3)
    #endif
    for options in [[], ["--output", "page.html", "--part", "test"]] {
      let again = try Muxnet.run(["run", "report", "a"] + options, in: folder.path)
      #expect(again.code == 0, "\(again.errors)")
    }
    #expect(
      try String(contentsOfFile: folder("page.html"), encoding: .utf8).contains("359 test images"))
    let inTheWay = try Muxnet.run(
      ["run", "report", "a", "--output", "page.html"], in: folder.path)
    #expect(inTheWay.code == 1 && inTheWay.errors.contains("page.html exists"))
  }

  @Test("what is no run, and a run that is still training, are refused in one line")
  func refused() throws {
    let folder = try folder()
    let none = try Muxnet.run(["run", "report", "c"], in: folder.path)
    #expect(none.code == 1 && none.errorLines.count == 1)
    #expect(none.errors.contains("c is not the folder of a run"))
    let lock = try RunLock(folder("a"))
    let training = try Muxnet.run(["run", "report", "a"], in: folder.path)
    let compared = try Muxnet.run(["run", "compare", "a", "b"], in: folder.path)
    withExtendedLifetime(lock) {}
    #expect(training.code == 1 && training.errorLines.count == 1)
    #expect(training.errors.contains("a is still training"))
    #expect(!FileManager.default.fileExists(atPath: folder("a/report.html")))
    #expect(compared.code == 0 && compared.output.contains("still training, "))
  }

  @Test("runs are listed with their scores, the latest first; what is damaged is named")
  func list() throws {
    let folder = try folder()
    try FileManager.default.setAttributes(
      [.modificationDate: Date.distantPast], ofItemAtPath: folder("a/summary.csv"))
    try folder.write("b/summary.csv", Array("{{{\n".utf8))
    try folder.makeFolder("notes")
    let made = try Muxnet.run(["run", "list", "."], in: folder.path)
    #expect(made.code == 0 && made.errors.contains("warning: ./b/summary.csv"), "\(made.errors)")
    let lines = made.output.split(separator: "\n")
    #expect(
      lines.count == 2 && lines[1].contains(/a +completed, \d+ epochs +fixture +top-1 \d/))
    let json = try Muxnet.run(["run", "list", folder.path, "--json"], in: folder.path)
    #expect(json.output.contains(#""metric" : "top1""#), "\(json.output)")
    let none = try Muxnet.run(["run", "list", "nowhere"], in: folder.path)
    #expect(none.code == 1 && none.errorLines.count == 1)
  }

  @Test("runs are compared in a table, as JSON, and as a page")
  func compare() throws {
    let folder = try folder()
    let path = folder("b/configuration.yaml")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try text.replacing("batchSize: 64", with: "batchSize: 32")
      .write(toFile: path, atomically: true, encoding: .utf8)
    let table = try Muxnet.run(
      ["run", "compare", "a", "b", "--output", "page.html"], in: folder.path)
    #expect(table.code == 0 && table.errors == "wrote page.html\n", "\(table.errors)")
    #expect(table.output.contains(/batchSize +64 +32\n/), "\(table.output)")
    #expect(table.output.contains(/top-1 +\d/) && table.output.contains("time an epoch"))
    #expect(FileManager.default.fileExists(atPath: folder("page.html")))
    let json = try Muxnet.json(["run", "compare", folder("a"), folder("b"), "--json"])
    let differences = try #require(json["differences"] as? [[String: Any]])
    #expect(differences.map { $0["setting"] as? String } == ["batchSize"])
    let one = try Muxnet.run(["run", "compare", "a"], in: folder.path)
    #expect(one.code == 64 && one.errors.contains("name two runs at least"))
  }
}
