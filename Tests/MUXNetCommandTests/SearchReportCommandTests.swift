// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

@Suite("muxnet search report", .serialized, .tags(.processes), .endsSometime, .onWaitingThreads)
struct SearchReportCommandTests {
  private static let evaluation =
    "cat >/dev/null; echo \"{\\\"error\\\": $((MUXNET_TRIAL % 17 + 3))}\""

  private func search(
    _ arguments: [String], trials: Int = 12, in folder: TemporaryFolder
  ) throws {
    let run = try Program.run(
      ["search", trials == 0 ? "create" : "run", "demo", "--storage", "a.db", "--space", "digits"]
        + ["--evaluate", Self.evaluation, "--trials", "\(max(trials, 1))"]
        + (trials == 0 ? [] : ["--workers", "1", "--quiet"]) + arguments, in: folder.path)
    #expect(run.code == 0, "\(run.errors)")
  }

  private func report(_ arguments: [String] = [], in folder: TemporaryFolder) throws -> Program {
    try Program.run(
      ["search", "report", "demo", "--storage", "a.db", "--output", "r.html"] + arguments,
      in: folder.path)
  }

  private func text(_ file: String, in folder: TemporaryFolder) throws -> String {
    try String(contentsOfFile: folder(file), encoding: .utf8)
  }

  @Test("A report is one file with charts, networks, settings and the command to go on")
  func report() throws {
    let folder = try TemporaryFolder()
    try search(
      ["--target", "small:params=5k,madds=100k", "--target", "<script>:params=40k,madds=800k"],
      in: folder)
    let made = try report(["--svg", "charts"], in: folder)
    #expect(made.code == 0, "\(made.errors)")
    #expect(made.errors == "wrote r.html and 7 charts in charts\n")
    let page = try text("r.html", in: folder)
    for name in [
      "front-params-error", "front-madds-error", "front-params-madds", "hypervolume", "best-g",
      "parallel-coordinates", "gene-frequencies",
    ] {
      #expect(page.contains("id=\"\(name)\""), "\(name)")
      #expect(try text("charts/\(name).svg", in: folder).hasPrefix("<svg"))
    }
    #expect(page.contains("muxnet search run demo --storage sqlite:///a.db"))
    #expect(page.contains("best for &lt;script&gt;"))
    #expect(page.contains("echo &quot;{"))
    // Every complete trial is a point with its block strings, in each of the three fronts.
    let points = page.matches(of: /<title>trial (\d+)[^<]*\n[^<]*\n(ds|ir|mux)_/)
    #expect(Set(points.map { String($0.1) }).count == 12)
    // Nothing is loaded from anywhere.
    #expect(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"))
    for match in page.matches(of: /(src|href)="([^"]*)"/) {
      #expect(match.2.hasPrefix("#"), "\(match.0)")
    }
    #expect(page.matches(of: /<script>/).count == 1)
  }

  @Test("A report of budgets has the best within each, what is over, and which choices matter")
  func budgets() throws {
    let folder = try TemporaryFolder()
    try search(
      ["--budget", "wide:params=90k,madds=1.8M", "--budget", "tight:params=1060"], trials: 24,
      in: folder)
    let made = try report(in: folder)
    #expect(made.code == 0, "\(made.errors)")
    let page = try text("r.html", in: folder)
    #expect(page.contains("id=\"best-within-budgets\""))
    #expect(page.contains("within: params "))
    #expect(page.contains("<h2>Importance of choices</h2>"))
  }

  @Test("Latency as a fourth objective, and no targets at all")
  func fourObjectives() throws {
    let folder = try TemporaryFolder()
    try search(
      ["--objectives", "error,params,madds,latency"], trials: 4, in: folder)
    let made = try report(["--svg", "charts"], in: folder)
    #expect(made.code == 0, "\(made.errors)")
    let charts = try FileManager.default.contentsOfDirectory(atPath: folder("charts"))
    #expect(charts.filter { $0.hasPrefix("front-") }.count == 6)
    #expect(charts.contains("front-latency-error.svg"))
    #expect(try text("r.html", in: folder).contains("directions"))
  }

  @Test("A study without a result has a report that says so")
  func empty() throws {
    let folder = try TemporaryFolder()
    try search([], trials: 0, in: folder)
    let made = try report(in: folder)
    #expect(made.code == 0, "\(made.errors)")
    #expect(try text("r.html", in: folder).contains("no complete trial yet"))
  }

  @Test("What is in the way, or not there, is one line and leaves nothing")
  func mistakes() throws {
    let folder = try TemporaryFolder()
    try search([], trials: 2, in: folder)
    let unknown = try Program.run(
      ["search", "report", "demmo", "--storage", "a.db", "--output", "r.html"], in: folder.path)
    #expect(unknown.code == 1)
    #expect(unknown.errorLines == ["error: there is no study 'demmo'; did you mean 'demo'?"])
    #expect(!FileManager.default.fileExists(atPath: folder("r.html")))
    try folder.write("r.html", Array("mine".utf8))
    let existing = try report(in: folder)
    #expect(existing.code == 1)
    #expect(
      existing.errorLines
        == ["error: r.html exists; choose another place, or overwrite it with --overwrite"])
    #expect(try text("r.html", in: folder) == "mine")
    // A chart in the way stops the page too.
    try folder.write("charts/hypervolume.svg", Array("mine".utf8))
    let chart = try Program.run(
      ["search", "report", "demo", "--storage", "a.db", "--output", "s.html", "--svg", "charts"],
      in: folder.path)
    #expect(chart.code == 1)
    #expect(chart.errorLines.first?.contains("charts/hypervolume.svg exists") == true)
    #expect(!FileManager.default.fileExists(atPath: folder("s.html")))
    #expect(try report(["--svg", "charts", "--overwrite"], in: folder).code == 0)
    // A folder under a file cannot be made, whoever asks.
    let blocked = try Program.run(
      ["search", "report", "demo", "--storage", "a.db", "--output", "t.html"]
        + ["--svg", "r.html/charts"], in: folder.path)
    #expect(blocked.code == 1)
    #expect(blocked.errorLines.count == 1)
    let nowhere = try Program.run(
      ["search", "report", "demo", "--storage", "a.db", "--output", "r.html/none/s.html"],
      in: folder.path)
    #expect(nowhere.code == 1)
    #expect(nowhere.errorLines.count == 1)
    let storage = try Program.run(
      ["search", "report", "demo", "--storage", "none.db", "--output", "s.html"], in: folder.path)
    #expect(storage.code == 1)
    #expect(storage.errorLines.count == 1)
  }
}
