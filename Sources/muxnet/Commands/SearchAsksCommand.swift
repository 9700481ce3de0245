// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXSearch
import MUXStudies

/// Measures what an ask costs in large studies (results/search).
struct SearchAsksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "asks",
    abstract: "Measure the latency of asking for a network in studies with many trials.",
    discussion: """
      A new storage is filled with finished trials; then one worker, or with --workers several \
      processes, asks and tells. Use a file on the disk that studies will be on: it takes most of \
      the time.

      EXAMPLES
        muxnet search asks --storage asks.db --trials 1000 50000 --algorithm guided
        muxnet search asks --storage asks.db --trials 1000 98000 --workers 64 --asks 2000 --beside 49
      """, shouldDisplay: false)

  @Option(parsing: .upToNextOption, help: "Numbers of finished trials.")
  var trials = [1_000, 10_000, 50_000]

  @Option(help: "guided, moead, evolution, nsga2, local or random.")
  var algorithm = "guided"

  @Option(help: "Processes that ask concurrently, instead of this one.")
  var workers: Int?

  @Option(help: "The number of asks to measure.")
  var asks = 200

  @Option(help: "Other studies of 200 trials in the storage.")
  var beside = 0

  /// The study of a worker of this command, and the folder by which it speaks with the others.
  @Option(help: .hidden)
  var study: String?
  @Option(help: .hidden)
  var folder: String?

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !trials.isEmpty, trials.allSatisfy({ (1...10_000_000).contains($0) }) else {
      throw ValidationError("--trials takes numbers from 1 to 10,000,000")
    }
    guard (1...1_000_000).contains(asks) else {
      throw ValidationError("--asks must be 1 … 1000000")
    }
    guard workers.map({ (1...1_000).contains($0) }) ?? true else {
      throw ValidationError("--workers must be 1 … 1000")
    }
    guard (0...10_000).contains(beside) else { throw ValidationError("--beside must be 0 … 10000") }
    if !AlgorithmSettings.named.contains(where: { $0.name == algorithm }) {
      let names = AlgorithmSettings.named.map(\.name).joined(separator: ", ")
      throw ValidationError("there is no algorithm '\(algorithm)'; there are \(names)")
    }
  }

  func run() throws {
    let settings =
      AlgorithmSettings.named.first { $0.name == algorithm }?.settings ?? .guided(.thorough)
    let benchmark = try AskBenchmark(settings, asks: asks)
    if let study, let folder {
      let store = try StudyStorage.open(try storage.url(), for: .write)
      return try benchmark.work(on: study, in: store, folder: folder)
    }
    let store = try StudyStorage.open(try storage.url(), for: .create)
    try benchmark.addStudies(beside, trials: 200, in: store)
    if let workers { return try measure(benchmark, workers, store) }
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

  /// Measures many processes at once.
  private func measure(
    _ benchmark: AskBenchmark, _ workers: Int, _ store: any StudyStore
  ) throws {
    // Each worker has a file for its errors and two pipes.
    try OpenFiles.require(20 + 6 * workers)
    let url = try storage.url()
    let rows = try trials.map { count in
      let name = "asks-\(algorithm)-\(count)"
      try benchmark.prepare(name, trials: count, in: store)
      return try benchmark.crowd(workers, on: name, trials: count, in: store) { folder in
        try WorkerProcess(
          StopRequest.program,
          [
            "search", "asks", "--study", name, "--folder", folder, "--algorithm", algorithm,
            "--asks", "\(asks)", "--storage-from-input",
          ], environment: ProcessInfo.processInfo.environment, input: Data(url.textWithSecrets.utf8)
        )
      }
    }
    if output.json { return try Console.json(rows) }
    var table = TextTable([
      ("TRIALS", .right), ("WORKERS", .right), ("ASKS", .right), ("A SECOND", .right),
      ("ASK ms", .right), ("P99 ms", .right), ("SLOWEST ms", .right), ("RESULT ms", .right),
      ("P99 ms", .right), ("START ms", .right),
    ])
    for row in rows {
      table.append([
        row.trials.grouped, "\(row.workers)", row.asks.grouped, row.rate.fixed(1),
        row.median.fixed(2), row.percentile99.fixed(2), row.slowest.fixed(2), row.result.fixed(2),
        row.result99.fixed(2), row.start.fixed(1),
      ])
    }
    Console.result(table.text)
  }
}
