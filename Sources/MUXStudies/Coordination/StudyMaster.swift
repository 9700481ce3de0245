// SPDX-License-Identifier: Apache-2.0
public import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Drives a study: keeps its workers alive, gives the trials of dead ones back, shows how it goes.
///
/// It holds nothing that the storage does not: killed and started again, it goes on.
public final class StudyMaster {
  /// Why the drive ended.
  public enum Ending: Sendable, Hashable {
    /// The study has all its trials.
    case done
    /// Somebody asked for it.
    case stopped
    /// The time is over.
    case timeBudget
  }

  /// The settings of a drive.
  public struct Options: Sendable {
    /// Processes that work.
    public var workers: Int
    /// Seconds after which the drive ends; nil for no limit.
    public var timeBudget: Double?
    /// Seconds between two looks at the storage.
    public var interval = 0.5
    /// Workers that may end at once after their start, one after the other, before the drive gives up.
    public var maximumQuickDeaths = 5

    /// So many workers.
    public init(workers: Int, timeBudget: Double? = nil) {
      self.workers = workers
      self.timeBudget = timeBudget
    }
  }

  private let coordinator: StudyCoordinator
  private let study: Study
  private let identity: ProcessIdentity
  private let options: Options
  private let launch: () throws -> WorkerProcess
  private let notice: (String) -> Void
  private var workers: [WorkerProcess] = []
  private var quickDeaths = 0

  /// A drive; `launch` starts one worker process.
  public init(
    _ coordinator: StudyCoordinator, _ study: Study, identity: ProcessIdentity = .current(),
    options: Options, notice: @escaping (String) -> Void,
    launch: @escaping () throws -> WorkerProcess
  ) {
    self.coordinator = coordinator
    self.study = study
    self.identity = identity
    self.options = options
    self.notice = notice
    self.launch = launch
  }

  /// Drives until the study has all its trials, or something asks to stop.
  ///
  /// - Throws: ``StudyError``: another process drives the study, no evaluation works, the storage is
  ///   away for too long, or workers cannot live.
  public func run(
    shouldStop: () -> Bool, progress: (StudyTracker.Snapshot) -> Void
  ) throws -> Ending {
    try coordinator.acquireMaster(of: study, identity)
    defer {
      endWorkers()
      try? StudyCoordinator(coordinator.store).releaseMaster(of: study, identity)
    }
    let begin = Date()
    var tracker = StudyTracker(coordinator, study)
    var nextBeat = begin
    while true {
      let now = Date()
      if now >= nextBeat {
        nextBeat = now.addingTimeInterval(study.definition.limits.lease / 4)
        try coordinator.acquireMaster(of: study, identity)
        try coordinator.expireLeases(of: study)
      }
      let snapshot = try tracker.look()
      progress(snapshot)
      let counts = snapshot.standings.counts
      let open = TrialState.allCases.filter { !$0.isFinished }.reduce(0) { $0 + (counts[$1] ?? 0) }
      let isAsked = counts.values.reduce(0, +) >= snapshot.standings.study.definition.limits.trials
      if isAsked, open == 0 { return .done }
      if try tendWorkers(hasOpenTrials: open > 0) { return .done }
      if shouldStop() { return .stopped }
      if let budget = options.timeBudget, now.timeIntervalSince(begin) > budget {
        return .timeBudget
      }
      rest(options.interval, shouldStop)
    }
  }

  private func rest(_ seconds: Double, _ shouldStop: () -> Bool) {
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end, !shouldStop() { Thread.sleep(forTimeInterval: min(0.05, seconds)) }
  }

  /// Replaces workers that died; true if all ended by themselves, since there is nothing left.
  private func tendWorkers(hasOpenTrials: Bool) throws -> Bool {
    for worker in workers where !worker.isRunning {
      workers.removeAll { $0 === worker }
      if worker.isWell {
        // Done by its own account. If trials are open again, a new one is started below.
        if workers.isEmpty, !hasOpenTrials { return true }
        continue
      }
      try coordinator.expireLeases(of: study)
      if worker.isHopeless { throw StudyError.evaluation(reason: worker.lastWords) }
      quickDeaths = worker.age < 5 ? quickDeaths + 1 : 0
      notice("\(worker.epitaph); starting another one")
      if quickDeaths >= options.maximumQuickDeaths {
        throw StudyError.evaluation(
          reason: "\(quickDeaths) workers ended right after their start; the last one said:"
            + " \(worker.lastWords)")
      }
    }
    while workers.count < options.workers {
      let worker = try launch()
      workers.append(worker)
    }
    return false
  }

  /// Asks all workers to stop and to put their trials back, then makes them.
  private func endWorkers() {
    for worker in workers where worker.isRunning { worker.send(SIGTERM) }
    let end = Date(timeIntervalSinceNow: 20)
    while workers.contains(where: \.isRunning), Date() < end {
      Thread.sleep(forTimeInterval: 0.02)
    }
    for worker in workers where worker.isRunning { worker.send(SIGKILL) }
    workers = []
  }
}

/// A worker in a process of its own.
public final class WorkerProcess {
  /// The exit code of a worker that cannot be of use, so that another one would not be either.
  public static let hopelessCode: Int32 = 1

  private let process: ChildProcess
  private let log: URL
  private let begin = Date()

  /// Starts a program; its standard error is kept for the case of its death.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  public init(
    _ program: URL, _ arguments: [String], environment: [String: String]
  ) throws(StudyError) {
    log = FileManager.default.temporaryDirectory
      .appendingPathComponent("muxnet-worker-\(UUID().uuidString).log")
    process = try ChildProcess(
      program.path, arguments, environment: environment, errors: log.path)
  }

  deinit { try? FileManager.default.removeItem(at: log) }

  /// The process's number.
  public var processIdentifier: Int32 { process.processIdentifier }
  /// Whether it has not ended.
  public var isRunning: Bool { process.isRunning }
  /// Seconds since its start.
  var age: Double { Date().timeIntervalSince(begin) }
  /// Whether it ended with success.
  var isWell: Bool { process.poll() == .exit(code: 0) }
  /// Whether it found an error that another worker would find too.
  var isHopeless: Bool { process.poll() == .exit(code: Self.hopelessCode) }

  /// How it ended.
  var epitaph: String {
    switch process.poll() {
    case .exit(let code): "worker \(processIdentifier) ended with exit code \(code)"
    case .signal(let number): "worker \(processIdentifier) was ended by signal \(number)"
    case nil: "worker \(processIdentifier) runs"
    }
  }

  /// The last line that it wrote.
  var lastWords: String {
    let data = (try? Data(contentsOf: log)) ?? Data()
    let line =
      String(decoding: data.suffix(8192), as: UTF8.self)
      .split(whereSeparator: \.isNewline).last.map(String.init) ?? "nothing"
    return line.hasPrefix("error: ") ? String(line.dropFirst(7)) : line
  }

  func send(_ signal: Int32) { process.send(signal) }
}
