// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXTestSupport
import Testing

@Suite struct TableTests {
  private static let hasMacro = Shared.has("data/\(NASBenchMacro.fileName)")
  private static let has201 = Shared.has("data/\(NASBench201.fileName)")

  @Test(
    "Costs of NAS-Bench-201 cells are the published ones",
    arguments: [
      // The least and the greatest of the benchmark, and the two cells whose figures its interface
      // prints as examples.
      ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 73_306, 7_783_050),
      (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
        1_531_546, 220_119_690
      ),
      (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        129_306, 15_647_370
      ),
      (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
        802_426, 113_951_370
      ),
    ])
  func costs201(_ text: String, _ parameters: Int, _ multiplyAdds: Int) throws {
    let costs = NASBench201.costs(of: try #require(NASBench201.cell(text)))
    #expect(costs.parameters == parameters)
    #expect(costs.multiplyAdds == multiplyAdds)
  }

  /// A table of NAS-Bench-Macro's form in which one network is another one than it should be.
  private static func macro(_ key: String, _ replacement: String, _ record: String) throws -> URL {
    var lines: [String] = []
    for index in 0..<6561 {
      let digits = String(index, radix: 3)
      let name = String(repeating: "0", count: 8 - digits.count) + digits
      lines.append(
        name == key
          ? "\"\(replacement)\": \(record)"
          : "\"\(name)\": {\"mean_acc\": 90, \"params\": \(index + 1), \"flops\": 5}")
    }
    let url = FileManager.default.temporaryDirectory.appending(path: "macro-\(UUID().uuidString)")
    try Data("{\(lines.joined(separator: ","))}".utf8).write(to: url)
    return url
  }

  @Test(
    "Keys and values of a table that cannot be are errors that name them",
    arguments: [
      ("00000001", "-0000001", #"{"mean_acc": 90, "params": 1, "flops": 5}"#, "'-0000001'"),
      ("22222222", "+2222222", #"{"mean_acc": 90, "params": 1, "flops": 5}"#, "'+2222222'"),
      ("00000001", "0000003", #"{"mean_acc": 90, "params": 1, "flops": 5}"#, "'0000003'"),
      ("00000001", "0000000é", #"{"mean_acc": 90, "params": 1, "flops": 5}"#, "eight digits"),
      (
        "00000001", "00000001", #"{"mean_acc": 1e308, "params": 1, "flops": 5}"#,
        "network 1: 'error' is -1e+308, not from 0 to 100 percent"
      ),
      (
        "00000002", "00000002", #"{"mean_acc": 90, "params": -1, "flops": 5}"#,
        "network 2: 'params' is -1.0, below 0"
      ),
      (
        "00000002", "00000002", #"{"mean_acc": 90, "params": 1, "flops": -5}"#,
        "network 2: 'madds' is -5.0, below 0"
      ),
    ])
  func absurdTables(_ key: String, _ name: String, _ record: String, _ reason: String) throws {
    let url = try Self.macro(key, name, record)
    defer { try? FileManager.default.removeItem(at: url) }
    let error = try #require(throws: SearchError.self) { try NASBenchMacro.read(url) }
    #expect("\(error)".contains(reason), "\(error)")
  }

  @Test("No objective stands twice")
  func twoOfOne() throws {
    let domain = NetworkDomain(try .named("digits"), quantities: [.error, .error])
    let error = try #require(throws: SearchError.self) { try domain.problem() }
    #expect(
      "\(error)" == "search setting 'objectives': 'error' stands twice; name each objective once")
  }

  @Test(
    "Strings that are no cells are refused",
    arguments: [
      "", "|none~0|", "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|",
      "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|",
    ])
  func badCells(_ text: String) {
    #expect(NASBench201.cell(text) == nil)
  }

  @Test(
    "NAS-Bench-201: 15,625 cells with the known best accuracy",
    .enabled(if: has201, "\(Shared.absent)"))
  func table201() throws {
    let table = try NASBench201.read(Shared.folder.appending(path: "data/\(NASBench201.fileName)"))
    #expect(table.count == 15_625)
    #expect(abs(try #require(table.allObjectives.map { $0[0] }.min()) - (100 - 94.3733)) < 1e-9)
    // The first line of the file.
    let row = try #require(table.evaluate([2, 3, 1, 3, 1, 1]))
    #expect(abs(row[0] - (100 - 85.8633)) < 1e-9)
    #expect(row[1] == 129_306)
    #expect(table.objectives.map(\.scale) == [100.0 / 3, 1_531_546, 220_119_690])
  }

  @Test(
    "NAS-Bench-Macro: 6,561 networks, a known one among them",
    .enabled(if: hasMacro, "\(Shared.absent)"))
  func tableMacro() throws {
    let table = try NASBenchMacro.read(
      Shared.folder.appending(path: "data/\(NASBenchMacro.fileName)"))
    #expect(table.count == 6561)
    let row = try #require(table.evaluate([0, 2, 0, 1, 2, 1, 0, 0]))
    #expect(abs(row[0] - (100 - 89.19666545586)) < 1e-6)
    #expect(row[1] == 890_666)
    #expect(row[2] == 47_327_744)
  }

  @Test("Tables that are cut off, of another kind, or not there are errors")
  func badTables() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func check(_ data: Data, _ word: String, _ read: (URL) throws -> TabularBenchmark) throws {
      let url = folder.appending(path: "table")
      try data.write(to: url)
      let error = try #require(throws: SearchError.self) { _ = try read(url) }
      #expect("\(error)".contains(word))
    }
    let macro: (URL) throws -> TabularBenchmark = { try NASBenchMacro.read($0) }
    let cells: (URL) throws -> TabularBenchmark = { try NASBench201.read($0) }
    try check(Data([0x1f, 0x8b, 8, 0, 0, 0]), "damaged or cut-off gzip", macro)
    try check(Data("[]".utf8), "is not NAS-Bench-Macro's JSON", macro)
    try check(
      Data(#"{"0000000x": {"mean_acc": 1, "params": 1, "flops": 1}}"#.utf8), "eight digits", macro)
    try check(
      Data(#"{"00000000": {"mean_acc": 1, "params": 1, "flops": 1}}"#.utf8), "is missing", macro)
    try check(Data("architecture,accuracy\nx,1\n".utf8), "line 2", cells)
    try check(
      Data("a,b\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,10\n".utf8), "missing", cells)
    #expect(throws: SearchError.self) { try NASBenchMacro.read(folder.appending(path: "none")) }
    #expect(throws: SearchError.self) { try SearchBenchmark.table("cifar", in: folder) }
  }

  @Test(
    "Reference points fit their tables, and no point serves for tuning and for reporting",
    arguments: ["nas-bench-macro", "nas-bench-201"] + NATSBench.DataSet.allCases.map(\.tableName))
  func referencePoints(_ name: String) throws {
    let points = try BenchmarkTargets()
    let table = try named(name)
    let report = try points.targets(of: table, .report).map(\.values)
    let tune = try points.targets(of: table, .tune).map(\.values)
    #expect(report.count == 3)
    #expect(tune.count == 3)
    for point in report { #expect(!tune.contains(point)) }
  }

  @Test("Reference points of one's own are read from a file, or refused in one line")
  func ownPoints() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let table = try named("nas-bench-201")
    func read(_ text: String) throws -> [ReferenceTarget] {
      try Data(text.utf8).write(to: file)
      return try BenchmarkTargets(file: file).targets(of: table)
    }
    let own = try read(#"{"about": "mine", "nas-bench-201": {"report": [[7, 300000, 40000000]]}}"#)
    #expect(own == [ReferenceTarget("1", ["error": 7, "params": 300_000, "madds": 40_000_000])])
    let path = file.path(percentEncoded: false)
    for (text, reason) in [
      ("[1]", "holds no reference points"),
      (#"{"nas-bench-macro": {"report": [[7, 3, 4]]}}"#, "for the table nas-bench-201"),
      (#"{"nas-bench-201": {"report": []}}"#, "no point is listed"),
      (#"{"nas-bench-201": {"report": [[7, 3]]}}"#, "has 2 values; there are error, params, madds"),
      (#"{"nas-bench-201": {"report": [[7, "a", 4]]}}"#, "'nas-bench-201.report.0.1'"),
    ] {
      let error = #expect(throws: SearchError.self) { try read(text) }
      let line = "\(error as Any)"
      #expect(line.contains(reason) && line.contains(path), "\(line)")
    }
    try FileManager.default.removeItem(at: file)
    #expect(throws: SearchError.self) { try BenchmarkTargets(file: file) }
  }

  /// A table of a few networks under a name that reference points are listed for.
  private func named(_ name: String) throws -> TabularBenchmark {
    try TabularBenchmark(
      name: name, genes: [Gene("width", choices: 2)], rows: [[9, 100, 1000], [8, 200, 2000]],
      errorScale: 100.0 / 3)
  }

  @Test(
    "On both tables the guided search is nearer to the targets than every other at 100 networks",
    .enabled(if: hasMacro && has201, "\(Shared.absent)"),
    arguments: ["nas-bench-macro", "nas-bench-201"])
  func guidedIsAhead(_ name: String) throws {
    let table = try SearchBenchmark.table(name, in: Shared.folder.appending(path: "data"))
    var experiment = SearchExperiment(
      table, targets: try BenchmarkTargets().targets(of: table, .tune))
    experiment.budgets = [100]
    experiment.seeds = 12
    var means: [String: Double] = [:]
    for contestant in SearchExperiment.contestants {
      let rows = try experiment.run(contestant)
      means[contestant.name] = rows.reduce(0) { $0 + $1.mean } / Double(rows.count)
    }
    let ours = try #require(means["guided"])
    // With its other settings it may be a little better or worse, and is no rival.
    let own = ["guided", "guided-quick"]
    for (rival, mean) in means where !own.contains(rival) {
      #expect(ours < mean, "\(rival)")
    }
  }
}
