// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

extension AskBenchmark {
  /// What many workers measured together.
  package struct Crowd: Sendable, Codable, Hashable {
    /// Trials that the study had before.
    package var trials: Int
    /// Processes that asked.
    package var workers: Int
    /// Trials that they asked for and told.
    package var asks: Int
    /// Of these in a second, from the first ask to the last result.
    package var rate: Double
    /// Milliseconds of an ask: the median.
    package var median: Double
    /// The time within which 99 of 100 asks were answered.
    package var percentile99: Double
    package var slowest: Double
    /// Milliseconds of keeping a result: the median.
    package var result: Double
    /// The time within which 99 of 100 results were kept.
    package var result99: Double
    /// Milliseconds until a process has the algorithm, which it reads once: the median.
    package var start: Double
  }

  /// What one worker measured, in milliseconds.
  package struct Share: Sendable, Codable {
    /// Until it had the algorithm.
    package var start: Double
    package var asks: [Double] = []
    package var results: [Double] = []
  }

  /// Makes a study of so many finished trials, with room for those that are measured.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  package func prepare(_ name: String, trials count: Int, in store: any StudyStore) throws {
    let coordinator = StudyCoordinator(store)
    let study = try coordinator.create(name, definition)
    try fill(study, count, store)
    try coordinator.setLimits(StudyLimits(trials: count + asks), of: study)
  }

  /// One of many workers: reads the algorithm, says so by a file in the folder, waits for the sign of ``crowd``,
  /// and asks and tells until the study has all its trials.
  ///
  /// - Throws: ``StudyError``, errors of the file system.
  package func work(on name: String, in store: any StudyStore, folder: String) throws {
    let coordinator = StudyCoordinator(store, retry: RetryPolicy(patience: 300))
    let study = try coordinator.study(named: name)
    let worker = ProcessIdentity.current()
    var watch = Stopwatch()
    try coordinator.catchUp(with: study)
    var share = Share(start: 1_000 * watch.seconds())
    let file = "\(folder)/\(worker.process)"
    try AtomicFile.write("", to: "\(file).ready")
    while !FileManager.default.fileExists(atPath: "\(folder)/go") {
      Stopwatch.rest(0.02) { false }
    }
    while true {
      let begin = watch.seconds()
      switch try coordinator.next(of: study, for: worker) {
      case .wait: Stopwatch.rest(0.01) { false }
      case .done:
        try AtomicFile.write([UInt8](JSONEncoder().encode(share)), to: "\(file).json")
        return
      case .trial(let lease):
        let asked = watch.seconds()
        try coordinator.finish(lease, .complete(objectives: objectives(lease.trial.genome)))
        share.asks.append(1_000 * (asked - begin))
        share.results.append(1_000 * (watch.seconds() - asked))
      }
    }
  }

  /// Starts many workers, lets them begin together, and puts what they measured together.
  ///
  /// - Parameters:
  ///   - workers: How many.
  ///   - name: The study that ``prepare(_:trials:in:)`` has made.
  ///   - trials: Trials that it has.
  ///   - store: The storage.
  ///   - launch: Starts one that calls ``work(on:in:folder:)`` with the folder.
  /// - Throws: ``StudyError``, errors of the file system.
  package func crowd(
    _ workers: Int, on name: String, trials: Int, in store: any StudyStore,
    launch: (_ folder: String) throws -> WorkerProcess
  ) throws -> Crowd {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "muxnet-asks-\(UUID().uuidString)").path(percentEncoded: false)
    try Folders.make(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let processes = try (0..<workers).map { _ in try launch(folder) }
    func files(_ ending: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(ending) }
    }
    func check() throws {
      for process in processes where !process.isRunning && !process.isWell {
        throw StudyError.evaluation(reason: "\(process.ending): \(process.lastError)")
      }
    }
    while try files(".ready").count < workers {
      try check()
      Stopwatch.rest(0.05) { false }
    }
    try AtomicFile.write("", to: "\(folder)/go")
    var watch = Stopwatch()
    while processes.contains(where: \.isRunning) {
      try check()
      Stopwatch.rest(0.01) { false }
    }
    let seconds = watch.seconds()
    try check()
    // It may go on.
    let coordinator = StudyCoordinator(store)
    try coordinator.setLimits(definition.limits, of: coordinator.study(named: name))
    let shares = try files(".json").map {
      try JSONDecoder().decode(Share.self, from: Data(contentsOf: URL(filePath: "\(folder)/\($0)")))
    }
    let asks = shares.flatMap(\.asks)
    let (asking, telling) = (Quantiles(asks), Quantiles(shares.flatMap(\.results)))
    return Crowd(
      trials: trials, workers: workers, asks: asks.count, rate: Double(asks.count) / seconds,
      median: asking.upper(0.5) ?? 0, percentile99: asking.upper(0.99) ?? 0,
      slowest: asks.max() ?? 0, result: telling.upper(0.5) ?? 0,
      result99: telling.upper(0.99) ?? 0,
      start: Quantiles(shares.map(\.start)).upper(0.5) ?? 0)
  }
}
