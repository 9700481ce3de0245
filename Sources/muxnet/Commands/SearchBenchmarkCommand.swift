// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXSearch

/// Compares search algorithms on tables of trained networks (the paper's figure 9).
struct SearchBenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Compare search algorithms on tables of trained networks (the paper's figure 9).",
    discussion: """
      Every algorithm searches towards three reference points with the same numbers of evaluated \
      networks; the mean of the least g (PBI, θ = 5) is compared, with Wilcoxon tests against the \
      first algorithm. The data folder holds nas-bench-macro_cifar10.json.gz and \
      nas-bench-201_cifar10.csv.gz. NAS-Bench-101 is published as nasbench_only108.tfrecord; its \
      objectives are error, parameters and training time, as in the paper, and its reference points \
      are networks on the file's Pareto front.

      With --goal budgets each search looks for the least error within one of 50 random budgets of \
      parameters and multiply-adds, each with at least 1,000 networks of the table within it; the \
      share of searches that come close to the best network within the budget is printed.

      With --goal early-stopping each search runs twice at equal cost on cells that were trained for 12 \
      and for 200 epochs (nats-bench-…): with early stopping after 12 epochs and without; budgets count \
      whole trainings.

      EXAMPLES
        muxnet search benchmark --data DATA
        muxnet search benchmark --data DATA --rivals results/search/pymoo.csv --output results/search
        muxnet search benchmark --table nasbench101 --data nasbench_only108.tfrecord
        muxnet search benchmark --goal budgets --budgets 300 --seeds 10 --data DATA \
          --table nas-bench-macro nats-bench-cifar10 nats-bench-cifar100 nats-bench-imagenet16
        muxnet search benchmark --goal early-stopping --budgets 100 300 --data DATA \
          --table nats-bench-cifar10
      """)

  @Option(help: "The folder with the tables' files, or the file of a single table.")
  var data: String

  @Option(
    parsing: .upToNextOption,
    help:
      """
      The tables: nas-bench-macro, nas-bench-201, nas-bench-101, nats-bench-cifar10, \
      nats-bench-cifar100, nats-bench-imagenet16 (also without dashes).
      """)
  var table = ["nas-bench-macro", "nas-bench-201"]

  @Option(parsing: .upToNextOption, help: "The numbers of networks to evaluate.")
  var budgets = [100, 300, 1000]

  @Option(help: "Runs per algorithm (default: 50).")
  var seeds: Int?

  @Option(
    parsing: .upToNextOption,
    help: "The algorithms; the others are tested against the first (default: all).")
  var algorithms: [String] = []

  @Option(help: "Reference points: report, or tune for tuning settings.")
  var points = "report"

  @Option(
    help: ArgumentHelp(
      "A JSON file of reference points of your own, in the form of the shipped one.",
      discussion: """
        For each table by its name: {"nas-bench-macro": {"report": [[9.2, 1160000, 37300000]]}}, with \
        error, parameters and multiply-adds.
        """))
  var targets: String?

  @Option(
    help: """
      What is compared: searches for points; for the least error within random budgets; for points with \
      and without early stopping at equal cost.
      """)
  var goal = Goal.points

  @Flag(help: "With --goal budgets, only draw the budgets and write them to --output.")
  var drawOnly = false

  enum Goal: String, CaseIterable, ExpressibleByArgument {
    case points, budgets
    case earlyStopping = "early-stopping"
  }

  @Option(
    help: "A CSV file with runs of other tools (tools/compare_search.py, tools/compare_budgets.py)."
  )
  var rivals: String?

  @Option(help: "The folder for runs.csv and summary.csv.")
  var output: String?

  func validate() throws {
    guard BenchmarkTargets.Selection(rawValue: points) != nil else {
      throw ValidationError("--points is report or tune, not '\(points)'")
    }
    guard seeds ?? 1 > 0, !budgets.isEmpty, budgets.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--seeds and --budgets must be above 0")
    }
    if goal == .budgets, !drawOnly, budgets.count > 1 {
      throw ValidationError(
        "with --goal budgets give one number of networks, such as --budgets 300")
    }
    if targets != nil, goal == .budgets {
      throw ValidationError("--targets has points, and --goal budgets searches for none")
    }
    if goal == .earlyStopping {
      try UnusedOptions.refuse(
        [("rivals", rivals != nil)],
        because: "--goal early-stopping compares each search with itself")
    }
    if drawOnly {
      try UnusedOptions.refuse(
        [
          ("seeds", seeds != nil), ("algorithms", !algorithms.isEmpty), ("rivals", rivals != nil),
        ], because: "--draw-only searches for nothing")
    }
    if drawOnly, goal != .budgets || output == nil {
      throw ValidationError("--draw-only needs --goal budgets and --output")
    }
  }

  func run() throws {
    var options = SearchBenchmark.Options(data: URL(filePath: data))
    options.tables = table
    options.budgets = budgets
    options.seeds = seeds ?? 50
    options.selection = BenchmarkTargets.Selection(rawValue: points) ?? .report
    options.targets = targets.map { URL(filePath: $0) }
    options.algorithms = algorithms.isEmpty ? nil : algorithms
    options.rivals = rivals.map { URL(filePath: $0) }
    options.output = output.map { URL(filePath: $0) }
    let benchmark = SearchBenchmark(options)
    switch goal {
    case .points: _ = try benchmark.run { Console.result($0) }
    case .budgets: _ = try benchmark.runBudgets(draws: drawOnly) { Console.result($0) }
    case .earlyStopping: _ = try benchmark.runStopping { Console.result($0) }
    }
  }
}
