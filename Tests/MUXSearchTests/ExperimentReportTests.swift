// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXTestSupport
import Testing

@Suite struct ExperimentReportTests {
  private func row(_ algorithm: String, _ seed: Int, _ best: [Double]) -> SearchExperiment.Row {
    SearchExperiment.Row(
      table: "t", algorithm: algorithm, budget: 10, seed: seed, best: best, seconds: 0.5)
  }

  @Test("Means, spread, distance to the optimum and the share of solved runs")
  func figures() throws {
    let rows = [
      row("ours", 0, [1, 2]), row("ours", 1, [1, 4]), row("rival", 0, [2, 4]),
      row("rival", 1, [3, 5]),
    ]
    let lines = ExperimentReport(rows, ours: "ours", optimum: [1, 2]).lines
    #expect(lines.map(\.algorithm) == ["ours", "rival"])
    #expect(lines[0].mean == 2)
    #expect(abs(lines[0].deviation - 0.5.squareRoot()) < 1e-12)
    #expect(lines[0].perTarget == [1, 3])
    #expect(lines[0].distance == 0.5)
    #expect(lines[0].solved == 0.5)
    #expect(lines[0].rankSum == nil)
    #expect(lines[1].mean == 3.5)
    #expect(lines[1].rankSum == RankTests.rankSum([1.5, 2.5], [3, 4]))
    #expect(lines[1].signedRank == RankTests.signedRank([1.5, 2.5], [3, 4]))
  }

  @Test("Runs that differ by the rounding of a file are ties")
  func ties() {
    let rows =
      (0..<20).map { row("ours", $0, [1.0 / 3]) }
      + (0..<20).map { row("rival", $0, [0.33333333]) }
    let lines = ExperimentReport(rows, ours: "ours", optimum: [1.0 / 3]).lines
    #expect(lines[1].rankSum == 1)
    #expect(lines[1].signedRank == 1)
    #expect(lines[1].solved == 1)
  }

  @Test("Rows are written as CSV and read back, also with other columns between")
  func csv() throws {
    let rows = [row("ours", 0, [1, 2]), row("rival", 3, [0.25, 4])]
    let text = ([SearchExperiment.Row.csvHeader(targets: 2)] + rows.map(\.csv)).joined(
      separator: "\n")
    #expect(try SearchExperiment.Row.read(csv: text, path: "rows.csv") == rows)
    let wide = "table,algorithm,budget,seed,mean_g,g1,calls,seconds\nt,pymoo,10,1,3,3,17,0.5\n"
    #expect(
      try SearchExperiment.Row.read(csv: wide, path: "wide.csv") == [row("pymoo", 1, [3])])
    let bare = "table,algorithm,budget,seed,g1\nt,pymoo,10,1,3\n"
    let unmeasured = try SearchExperiment.Row.read(csv: bare, path: "bare.csv")
    #expect(unmeasured.map(\.best) == [[3]])
    #expect(unmeasured[0].seconds.isNaN)
    let report = ExperimentReport(unmeasured, ours: "ours", optimum: [1])
    #expect(!report.csv.contains("nan") && !report.text.contains("nan"))
    let missing = try #require(throws: SearchError.self) {
      try SearchExperiment.Row.read(csv: "table,seed\n", path: "bad.csv")
    }
    #expect("\(missing)".contains("bad.csv"))
    let broken = try #require(throws: SearchError.self) {
      try SearchExperiment.Row.read(csv: wide + "t,pymoo,ten,1,3,3,17,0.5\n", path: "bad.csv")
    }
    #expect("\(broken)".contains("line 3"))
  }

  @Test(
    "The benchmark writes its runs and its summary, and takes in another tool's runs",
    .enabled(if: Shared.has("data/\(NASBenchMacro.fileName)"), "\(Shared.absent)"))
  func benchmark() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let rivals = folder.appending(path: "rivals.csv")
    try Data(
      """
      table,algorithm,budget,seed,mean_g,g1,g2,g3,calls,seconds
      nas-bench-macro,other,40,0,2,2,2,2,40,1
      nas-bench-macro,other,40,1,2,2,2,2,40,1
      """.utf8
    ).write(to: rivals)
    var options = SearchBenchmark.Options(data: Shared.folder.appending(path: "data"))
    options.tables = ["nas-bench-macro"]
    options.budgets = [40]
    options.seeds = 2
    options.algorithms = ["moead", "random"]
    options.rivals = rivals
    options.output = folder.appending(path: "out")
    var text = ""
    let reports = try SearchBenchmark(options).run { text += $0 }
    #expect(reports[0].lines.map(\.algorithm) == ["moead", "random", "other"])
    #expect(text.contains("nas-bench-macro, 40 networks"))
    let runs = try String(
      contentsOf: folder.appending(path: "out/runs.csv"), encoding: .utf8)
    #expect(try SearchExperiment.Row.read(csv: runs, path: "runs.csv").count == 4)
    let summary = try String(
      contentsOf: folder.appending(path: "out/summary.csv"), encoding: .utf8)
    #expect(summary.split(separator: "\n").count == 4)
    options.algorithms = ["hill-climbing"]
    #expect(throws: SearchError.self) { _ = try SearchBenchmark(options).run() }
  }
}
