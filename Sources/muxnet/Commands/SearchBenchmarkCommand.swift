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
      Every algorithm looks for three reference points within the same budgets of evaluated \
      networks; the mean of the least g (PBI, θ = 5) is compared, with Wilcoxon tests against the \
      first algorithm. The data folder holds nas-bench-macro_cifar10.json.gz and \
      nas-bench-201_cifar10.csv.gz. NAS-Bench-101 is published as nasbench_only108.tfrecord; \
      objectives are then error, parameters and training time, as in the paper, and the reference \
      points are front networks of the file.

      EXAMPLES
        muxnet search benchmark --data DATA
        muxnet search benchmark --data DATA --rivals results/search/pymoo.csv --output results/search
        muxnet search benchmark --table nasbench101 --data nasbench_only108.tfrecord
      """)

  @Option(help: "The folder with the tables' files, or the file of the only table.")
  var data: String

  @Option(
    parsing: .upToNextOption,
    help: "The tables: nas-bench-macro, nas-bench-201, nas-bench-101 (also without dashes).")
  var table = ["nas-bench-macro", "nas-bench-201"]

  @Option(parsing: .upToNextOption, help: "The numbers of networks that may be evaluated.")
  var budgets = [100, 300, 1000]

  @Option(help: "The runs of each algorithm.")
  var seeds = 50

  @Option(
    parsing: .upToNextOption,
    help: "The algorithms, the first of which is tested against the others (default: all).")
  var algorithms: [String] = []

  @Option(help: "Reference points: report, or tune for tuning settings.")
  var points = "report"

  @Option(help: "A CSV file with runs of other tools (tools/compare_search.py).")
  var rivals: String?

  @Option(help: "The folder for runs.csv and summary.csv.")
  var output: String?

  func validate() throws {
    guard BenchmarkTargets.Selection(rawValue: points) != nil else {
      throw ValidationError("--points is report or tune, not '\(points)'")
    }
    guard seeds > 0, !budgets.isEmpty, budgets.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--seeds and --budgets must be above 0")
    }
  }

  func run() throws {
    var options = SearchBenchmark.Options(data: URL(filePath: data))
    options.tables = table
    options.budgets = budgets
    options.seeds = seeds
    options.selection = BenchmarkTargets.Selection(rawValue: points) ?? .report
    options.algorithms = algorithms.isEmpty ? nil : algorithms
    options.rivals = rivals.map { URL(filePath: $0) }
    options.output = output.map { URL(filePath: $0) }
    _ = try SearchBenchmark(options).run { Console.result($0) }
  }
}
