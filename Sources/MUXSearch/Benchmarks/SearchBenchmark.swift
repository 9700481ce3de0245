// SPDX-License-Identifier: Apache-2.0
package import Foundation
import MUXCore

/// `muxnet search benchmark`: figure 9's experiment on the tables that are there, with the results as
/// CSV files. The command adds no logic of its own.
package struct SearchBenchmark: Sendable {
  /// Which tables, how many runs, and where results go.
  package struct Options: Sendable {
    /// The folder with the tables' files, or the file of the only table.
    package var data: URL
    /// The tables' names.
    package var tables = ["nas-bench-macro", "nas-bench-201"]
    /// Which reference points.
    package var selection = BenchmarkTargets.Selection.report
    /// A file of reference points, nil for those that are shipped.
    package var targets: URL?
    /// The networks that may be evaluated.
    package var budgets = [100, 300, 1000]
    /// The runs of each algorithm.
    package var seeds = 50
    /// Names of contestants, nil for all.
    package var algorithms: [String]?
    /// Rows of other tools (`tools/compare_search.py`) to be tested against as well.
    package var rivals: URL?
    /// The folder for `runs.csv` and `summary.csv`, nil for none.
    package var output: URL?

    /// All algorithms on both tables, 50 seeds.
    package init(data: URL) { self.data = data }
  }

  package let options: Options

  package init(_ options: Options) { self.options = options }

  /// A table from its file, or from the folder that holds the file under its usual name. Names are
  /// `nas-bench-macro`, `nas-bench-201`, `nats-bench-cifar10`, `nats-bench-cifar100`,
  /// `nats-bench-imagenet16` and `nas-bench-101`, also without dashes.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  package static func table(
    _ name: String, in data: URL
  ) throws(SearchError) -> any BenchmarkTable {
    func file(_ usual: String) -> URL { Self.file(usual, in: data) }
    switch name.lowercased().filter({ $0 != "-" }) {
    case "nasbenchmacro": return try NASBenchMacro.read(file(NASBenchMacro.fileName))
    case "nasbench201": return try NASBench201.read(file(NASBench201.fileName))
    case "nasbench101": return try NASBench101(reading: file(NASBench101.fileName))
    case let plain where plain.hasPrefix("natsbench"):
      if let data = NATSBench.DataSet(rawValue: String(plain.dropFirst("natsbench".count))) {
        return try NATSBench.read(file(NATSBench.fileName), data)
      }
      fallthrough
    default:
      let known =
        ["nas-bench-macro", "nas-bench-201", "nas-bench-101"]
        + NATSBench.DataSet.allCases.map(\.tableName)
      throw .table(
        path: name, reason: "unknown table; there are \(known.joined(separator: ", "))")
    }
  }

  /// The file of a table: what is named, or the usual file in the folder that is named.
  private static func file(_ usual: String, in data: URL) -> URL {
    var isFolder: ObjCBool = false
    let path = data.path(percentEncoded: false)
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && !isFolder.boolValue ? data : data.appending(path: usual)
  }

  /// Runs everything; `progress` gets lines of text as results come in. Gives the reports, one for
  /// each table.
  ///
  /// - Throws: ``SearchError``, or an error of writing the results.
  package func run(progress: (String) -> Void = { _ in }) throws -> [ExperimentReport] {
    var rows: [SearchExperiment.Row] = []
    var reports: [ExperimentReport] = []
    let contestants = try contestants()
    let targets = try BenchmarkTargets(file: options.targets)
    let rivals = try rivalRows()
    try prepareOutput(["runs.csv", "summary.csv"])
    for name in options.tables {
      let table = try Self.table(name, in: options.data)
      var experiment = SearchExperiment(
        table, targets: try targets.targets(of: table, options.selection))
      experiment.budgets = options.budgets
      experiment.seeds = options.seeds
      var own: [SearchExperiment.Row] = []
      for contestant in contestants {
        own += try experiment.run(contestant)
      }
      rows += own
      let others = rivals.filter { $0.table == table.name && options.budgets.contains($0.budget) }
      let report = ExperimentReport(
        own + others, ours: contestants[0].name,
        optimum: table.optimum(try experiment.measure()))
      progress(report.text)
      reports.append(report)
    }
    if let output = options.output { try write(rows, reports, to: output) }
    return reports
  }

  /// Runs every algorithm within random budgets instead of towards reference points, and writes
  /// `budgets.csv` and `budget-runs.csv`. With `draws` the budgets alone are drawn.
  ///
  /// - Throws: ``SearchError``, or an error of writing the results.
  package func runBudgets(
    draws: Bool = false, progress: (String) -> Void = { _ in }
  ) throws -> [[BudgetExperiment.Line]] {
    var drawn: [DrawnBudget] = []
    var rows: [BudgetExperiment.Row] = []
    var lines: [[BudgetExperiment.Line]] = []
    let contestants = try contestantsThatKnowCosts()
    let rivals =
      try rivalText().map { try BudgetExperiment.read(csv: $0.text, path: $0.path) } ?? []
    try prepareOutput(["budgets.csv", "budget-runs.csv"])
    for name in options.tables {
      let table = try Self.table(name, in: options.data)
      let budgets = try DrawnBudget.draw(table, options.selection)
      drawn += budgets
      if draws { continue }
      var experiment = BudgetExperiment(table, budgets: budgets)
      experiment.networks = options.budgets.last ?? experiment.networks
      experiment.seeds = options.seeds
      for contestant in contestants { rows += try experiment.run(contestant) }
      lines.append(experiment.lines(rows + rivals))
      progress(experiment.text(lines.last ?? []))
    }
    if let output = options.output {
      try Folders.make(output.path(percentEncoded: false))
      var files = [("budgets.csv", [DrawnBudget.csvHeader] + drawn.map(\.csv))]
      if !draws {
        files.append(("budget-runs.csv", [BudgetExperiment.Row.csvHeader] + rows.map(\.csv)))
      }
      for (name, lines) in files {
        try AtomicFile.write(
          lines.joined(separator: "\n") + "\n",
          to: output.appending(path: name).path(percentEncoded: false))
      }
    }
    return lines
  }

  /// Runs the searches with and without early stopping at equal cost (``StoppingExperiment``) on tables of
  /// NATS-Bench, and writes `stopping-runs.csv` and `stopping-summary.csv`. Budgets count whole trainings.
  ///
  /// - Throws: ``SearchError``, or an error of writing the results.
  package func runStopping(
    progress: (String) -> Void = { _ in }
  ) throws -> [ExperimentReport] {
    let contestants = try contestantsThatKnowCosts()
    let targets = try BenchmarkTargets(file: options.targets)
    let files = ["stopping-runs.csv", "stopping-summary.csv"]
    try prepareOutput(files)
    var rows: [SearchExperiment.Row] = []
    var reports: [ExperimentReport] = []
    for name in options.tables {
      guard let set = NATSBench.DataSet.allCases.first(where: { $0.tableName == name }) else {
        throw SearchError.table(
          path: name,
          reason: "has no accuracies after few epochs; those that have are "
            + NATSBench.DataSet.allCases.map(\.tableName).joined(separator: ", "))
      }
      let file = Self.file(NATSBench.fileName, in: options.data)
      let table = try NATSBench.read(file, set)
      let points = try targets.targets(of: table, options.selection)
      var experiment = StoppingExperiment(
        table, early: try NATSBench.read(file, set, epochs: .short), targets: points)
      experiment.budgets = options.budgets
      experiment.seeds = options.seeds
      let optimum = table.optimum(try Decomposition(.targets(points), objectives: table.objectives))
      for contestant in contestants {
        let own =
          try experiment.run(contestant, stops: false) + experiment.run(contestant, stops: true)
        rows += own
        let report = ExperimentReport(own, ours: contestant.name, optimum: optimum)
        progress(report.text)
        reports.append(report)
      }
    }
    if let output = options.output { try write(rows, reports, to: output, files: files) }
    return reports
  }

  /// Checks that one file is not named for several tables, makes the folder of the results and checks that
  /// it takes them, before anything is computed.
  private func prepareOutput(_ files: [String]) throws {
    // Runs that are counted twice would make differences look surer than they are.
    for (setting, words) in [
      ("tables", options.tables), ("algorithms", options.algorithms ?? []),
      ("budgets", options.budgets.map { "\($0)" }),
    ] {
      var seen: Set<String> = []
      if let double = words.first(where: { !seen.insert($0).inserted }) {
        throw SearchError.invalidSetting(name: setting, reason: "'\(double)' is given twice")
      }
    }
    var isFolder: ObjCBool = false
    let path = options.data.path(percentEncoded: false)
    if options.tables.count > 1,
      FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      throw SearchError.table(
        path: path, reason: "is one file, but there are \(options.tables.count) tables; name one")
    }
    guard let folder = options.output else { return }
    try Folders.make(folder.path(percentEncoded: false))
    for file in files {
      try AtomicFile.check(folder.appending(path: file).path(percentEncoded: false))
    }
  }

  /// Those that may be told limits and budgets; one that is named and may not is refused.
  private func contestantsThatKnowCosts() throws(SearchError) -> [SearchExperiment.Contestant] {
    let all = try contestants()
    if options.algorithms != nil, let blind = all.first(where: { !$0.knowsCosts }) {
      throw .invalidSetting(
        name: "algorithms",
        reason: "'\(blind.name)' knows no costs, which this goal is about; leave it out")
    }
    return all.filter(\.knowsCosts)
  }

  private func contestants() throws(SearchError) -> [SearchExperiment.Contestant] {
    guard let names = options.algorithms else { return SearchExperiment.contestants }
    var chosen: [SearchExperiment.Contestant] = []
    for name in names {
      guard let found = SearchExperiment.contestants.first(where: { $0.name == name }) else {
        let known = SearchExperiment.contestants.map(\.name).joined(separator: ", ")
        throw .invalidSetting(name: "algorithms", reason: "unknown '\(name)'; there are \(known)")
      }
      chosen.append(found)
    }
    guard !chosen.isEmpty else {
      throw .invalidSetting(name: "algorithms", reason: "there are none")
    }
    return chosen
  }

  private func rivalRows() throws -> [SearchExperiment.Row] {
    try rivalText().map { try SearchExperiment.Row.read(csv: $0.text, path: $0.path) } ?? []
  }

  private func rivalText() throws -> (text: String, path: String)? {
    guard let url = options.rivals else { return nil }
    let path = url.path(percentEncoded: false)
    do { return (try TextFile.read(path, limit: 1 << 28), path) } catch {
      throw SearchError.table(path: path, reason: "cannot be read as text: \(error.cause)")
    }
  }

  private func write(
    _ rows: [SearchExperiment.Row], _ reports: [ExperimentReport], to folder: URL,
    files: [String] = ["runs.csv", "summary.csv"]
  ) throws {
    try Folders.make(folder.path(percentEncoded: false))
    let header = SearchExperiment.Row.csvHeader(targets: rows.first?.best.count ?? 0)
    let runs = ([header] + rows.map(\.csv)).joined(separator: "\n") + "\n"
    var summary = ""
    for (index, report) in reports.enumerated() {
      let lines = report.csv.split(separator: "\n", omittingEmptySubsequences: true)
      summary += lines.dropFirst(index == 0 ? 0 : 1).joined(separator: "\n") + "\n"
    }
    for (name, text) in zip(files, [runs, summary]) {
      try AtomicFile.write(text, to: folder.appending(path: name).path(percentEncoded: false))
    }
  }
}
