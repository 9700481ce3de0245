// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXSearch
import MUXStudies

/// Measures what an ask costs in large studies (results/search).
struct SearchAsksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "asks",
    abstract: "Measure what asking for a network costs in studies that have many trials already.",
    discussion: """
      A new storage is filled with finished trials; then a worker asks and tells. Use a file on the \
      disk that studies will be on: most of the time is its.

      EXAMPLES
        muxnet search asks --storage asks.db --trials 1000 50000 --algorithm guided
      """, shouldDisplay: false)

  @Option(parsing: .upToNextOption, help: "Numbers of trials.")
  var trials = [1_000, 10_000, 50_000]

  @Option(help: "guided, moead, evolution, nsga2 or random.")
  var algorithm = "guided"

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !trials.isEmpty, trials.allSatisfy({ (1...10_000_000).contains($0) }) else {
      throw ValidationError("--trials takes numbers from 1 to 10,000,000")
    }
    if !AlgorithmSettings.named.contains(where: { $0.name == algorithm }) {
      let names = AlgorithmSettings.named.map(\.name).joined(separator: ", ")
      throw ValidationError("there is no algorithm '\(algorithm)'; there are \(names)")
    }
  }

  func run() throws {
    let settings =
      AlgorithmSettings.named.first { $0.name == algorithm }?.settings ?? .guided(.thorough)
    let store = try StudyStorage.open(try storage.url(), for: .create)
    let benchmark = try AskBenchmark(settings)
    var table = TextTable([
      ("TRIALS", .right), ("FIRST ASK ms", .right), ("ASK ms", .right), ("SLOWEST ms", .right),
      ("RESULT ms", .right),
    ])
    let rows = try trials.map {
      try benchmark.measure("asks-\(algorithm)-\($0)", trials: $0, in: store)
    }
    if output.json { return try Console.json(rows) }
    for row in rows {
      table.append([
        row.trials.grouped, row.first.fixed(1), row.median.fixed(2), row.slowest.fixed(2),
        row.result.fixed(2),
      ])
    }
    Console.result(table.text)
  }
}
