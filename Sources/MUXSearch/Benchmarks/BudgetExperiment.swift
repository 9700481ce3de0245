// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// How near several algorithms come to the best network within random budgets of a table.
package struct BudgetExperiment: Sendable {
  /// What one search within one budget found.
  package struct Row: Sendable, Hashable {
    package var table: String
    package var algorithm: String
    package var budget: Int
    /// The run's seed.
    package var seed: Int
    /// The least error among the evaluated networks within the budget; infinite where there was none.
    package var error: Double

    /// The header of files of rows.
    package static let csvHeader = "table,algorithm,budget,seed,error"

    /// The row as a line of CSV.
    package var csv: String { "\(table),\(algorithm),\(budget),\(seed),\(error)" }
  }

  /// How one algorithm does on one table.
  package struct Line: Sendable, Hashable {
    package var algorithm: String
    /// The runs: budgets times seeds.
    package var runs: Int
    /// The share of runs whose error is within ``BudgetExperiment/tolerance`` of the best.
    package var near: Double
    /// The share of runs that found the best.
    package var exact: Double
    /// The mean of how far the error found is above the best, as a share of that.
    package var excess: Double
    /// The greatest of the same.
    package var worst: Double
  }

  package let table: any BenchmarkTable
  package let budgets: [DrawnBudget]
  /// The networks that one search may evaluate.
  package var networks = 300
  /// The runs of each algorithm in each budget; the seeds are 0, 1, ….
  package var seeds = 10

  package init(_ table: any BenchmarkTable, budgets: [DrawnBudget]) {
    self.table = table
    self.budgets = budgets
  }

  /// How near to the best counts as found, relative: 2 % on NAS-Bench-Macro, 5 % on the tables of cells,
  /// whose errors scatter more.
  package var tolerance: Double { table.name == "nas-bench-macro" ? 0.02 : 0.05 }

  /// All runs of an algorithm.
  package func run(_ contestant: SearchExperiment.Contestant) throws(SearchError) -> [Row] {
    var rows: [Row] = []
    for budget in budgets {
      for seed in 0..<seeds { rows.append(try run(contestant, budget, seed: seed)) }
    }
    return rows
  }

  /// One search within one budget, one evaluation at a time.
  package func run(
    _ contestant: SearchExperiment.Contestant, _ budget: DrawnBudget, seed: Int
  ) throws(SearchError) -> Row {
    let problem = try table.problem()
    var algorithm = try contestant.settings.make(
      problem, goal: .targets([budget.target]), seed: UInt64(seed))
    let limits = try Budget(budget.target, problem.objectives)
    var least = Double.infinity
    var count = 0
    while count < networks, let candidate = algorithm.ask() {
      guard let objectives = table.evaluate(candidate.genome) else {
        try algorithm.tell([.failed(id: candidate.id)])
        continue
      }
      try algorithm.tell([Evaluation(id: candidate.id, objectives: objectives)])
      count += 1
      if limits.excess(of: problem.normalized(objectives)) == 0 {
        least = min(least, objectives[0])
      }
    }
    return Row(
      table: table.name, algorithm: contestant.name, budget: budget.index, seed: seed, error: least)
  }

  /// The rows of this table, algorithm by algorithm.
  package func lines(_ rows: [Row]) -> [Line] {
    let best = Dictionary(
      budgets.map { ($0.index, $0.best) }, uniquingKeysWith: { first, _ in first })
    var names: [String] = []
    let own = rows.filter { $0.table == table.name && best[$0.budget] != nil }
    for row in own where !names.contains(row.algorithm) { names.append(row.algorithm) }
    return names.map { name in
      let excesses = own.filter { $0.algorithm == name }.map { row in
        row.error / (best[row.budget] ?? .nan) - 1
      }
      let count = Double(excesses.count)
      let found = excesses.filter(\.isFinite)
      return Line(
        algorithm: name, runs: excesses.count,
        near: Double(excesses.count { $0 <= tolerance + 1e-9 }) / count,
        exact: Double(excesses.count { $0 <= 1e-9 }) / count,
        excess: found.reduce(0, +) / Double(max(found.count, 1)), worst: excesses.max() ?? .nan)
    }
  }

  /// Lines as a table for people, in Markdown.
  package func text(_ lines: [Line]) -> String {
    let head =
      "| \(table.name) | runs | within \(Self.percent(tolerance, 0)) | the best | mean above the best"
      + " | worst |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
    return head
      + lines.map { line in
        "| \(line.algorithm) | \(line.runs) | \(Self.percent(line.near, 1)) |"
          + " \(Self.percent(line.exact, 1)) | \(Self.percent(line.excess, 2)) |"
          + " \(Self.percent(line.worst, 1)) |"
      }.joined(separator: "\n") + "\n"
  }

  private static func percent(_ share: Double, _ digits: Int) -> String {
    share.isFinite ? NumberText.percent(share, decimals: digits) : "none found"
  }

  /// Reads rows of other tools, such as those that `tools/compare_budgets.py` writes.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  package static func read(csv text: String, path: String) throws(SearchError) -> [Row] {
    let lines = text.split(whereSeparator: \.isNewline)
    guard lines.first.map(String.init) == Row.csvHeader else {
      throw .table(path: path, reason: "does not begin with \(Row.csvHeader)")
    }
    var rows: [Row] = []
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == 5, let budget = Int(fields[2]), let seed = Int(fields[3]),
        let error = Double(fields[4])
      else { throw .table(path: path, reason: "line \(number + 1) is not a row") }
      rows.append(
        Row(
          table: String(fields[0]), algorithm: String(fields[1]), budget: budget, seed: seed,
          error: error))
    }
    return rows
  }
}
