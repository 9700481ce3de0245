// SPDX-License-Identifier: Apache-2.0
import Foundation

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
    public var maximumEarlyEndings = 5

    /// A number of workers; without a budget of seconds they work until the study is done.
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
  private var earlyEndings = 0
  private var hasToldOfHeldTrials = false

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
    var watch = Stopwatch()
    var tracker = StudyTracker(coordinator, study)
    var nextBeat = 0.0
    while true {
      let now = watch.seconds()
      if now >= nextBeat {
        nextBeat = now + study.definition.limits.lease / 4
        try coordinator.acquireMaster(of: study, identity)
        try coordinator.expireLeases(of: study)
      }
      let snapshot = try tracker.look()
      progress(snapshot)
      let counts = snapshot.standings.counts
      let open = TrialState.allCases.filter { !$0.isFinished }.reduce(0) { $0 + (counts[$1] ?? 0) }
      let isAsked = counts.values.reduce(0, +) >= snapshot.standings.study.definition.limits.trials
      if isAsked, open == 0 { return .done }
      if isAsked { try tellOfHeldTrials(among: open) }
      if try tendWorkers(hasOpenTrials: open > 0) { return .done }
      if shouldStop() { return .stopped }
      if let budget = options.timeBudget, now > budget { return .timeBudget }
      Stopwatch.rest(options.interval, until: shouldStop)
    }
  }

  /// Says once what the drive waits for, where all that is left was asked for by hand.
  private func tellOfHeldTrials(among open: Int) throws {
    if hasToldOfHeldTrials { return }
    let (running, now) = try coordinator.retry {
      try coordinator.store.read { (try $0.runningTrials(of: study.id), try $0.now()) }
    }
    guard running.count == open, running.allSatisfy({ $0.heldSeconds != nil }) else { return }
    hasToldOfHeldTrials = true
    let numbers = running.prefix(5).map { "\($0.number)" }.joined(separator: ", ")
    let longest = running.compactMap(\.leaseEnd).max().map { $0.timeIntervalSince(now) } ?? 0
    notice(
      "waiting for trial\(open == 1 ? "" : "s") \(numbers)\(open > 5 ? ", …" : ""), asked for by hand:"
        + " search tell ends one; without it, workers get it in at most \(Int(longest.rounded(.up))) s"
    )
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
      if worker.isUseless { throw StudyError.evaluation(reason: worker.lastError) }
      earlyEndings = worker.age < 5 ? earlyEndings + 1 : 0
      notice("\(worker.ending); starting another one")
      if earlyEndings >= options.maximumEarlyEndings {
        throw StudyError.evaluation(
          reason: "\(earlyEndings) workers ended right after their start; the last one said:"
            + " \(worker.lastError)")
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
    Stopwatch.rest(WorkerProcess.grace, tick: 0.02) { !workers.contains(where: \.isRunning) }
    for worker in workers where worker.isRunning { worker.send(SIGKILL) }
    workers = []
  }
}
