// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Synchronization

/// Second chances: for failed trials, and for those of vanished workers.
extension StudyCoordinator {
  /// Requeues failed trials; all of them if no numbers are given.
  ///
  /// - Returns: The numbers.
  /// - Throws: ``StudyError``.
  @discardableResult
  public func retry(_ numbers: [Int]?, of study: Study) throws -> [Int] {
    try catchUp(with: study)
    var made: Search?
    let repeated = try write(study) { transaction, study -> [Int] in
      made = nil
      try expireLeases(transaction, study, try transaction.now())
      var trials = try transaction.trials(of: study.id, in: [.failed], limit: nil)
      if let numbers {
        trials = try numbers.map { try failedTrial($0, transaction, study) }
      }
      guard !trials.isEmpty else { return [] }
      // The algorithm first hears of everything else, then that these are open again.
      var search = try self.search(transaction, study)
      var step = AlgorithmStep(told: try tell(&search, transaction, study))
      let reopened = trials.map {
        Candidate(id: $0.number, genome: $0.genome, key: $0.key, subproblem: $0.subproblem)
      }
      for candidate in reopened { search.algorithm.reopen(candidate) }
      for trial in trials { try reset(trial, transaction, study) }
      try renumber(transaction, study)
      step.reopened = reopened
      try add(step, to: &search, transaction, study)
      made = search
      return trials.map(\.number)
    }
    keep(made, of: study)
    return repeated
  }

  func failedTrial(
    _ number: Int, _ transaction: any StudyTransaction, _ study: Study
  ) throws -> Trial {
    guard let trial = try transaction.trial(number, of: study.id) else {
      let count = try transaction.counts(of: study.id).values.reduce(0, +)
      throw StudyError.unknownTrial(study: study.name, number: number, count: count)
    }
    guard trial.state == .failed else {
      throw StudyError.wrongState(
        study: study.name, number: number, state: trial.state, expected: "failed")
    }
    return trial
  }

  func reset(
    _ trial: Trial, _ transaction: any StudyTransaction, _ study: Study
  ) throws {
    var fresh = trial
    fresh.state = .waiting
    fresh.attempt = 0
    fresh.worker = nil
    fresh.started = nil
    fresh.finished = nil
    fresh.finishOrder = nil
    fresh.isTold = false
    fresh.reason = nil
    fresh.attributes[Trial.heldKey] = nil
    fresh.attributes[Trial.tookKey] = nil
    try transaction.update(fresh, of: study.id)
  }

  /// Closes the gaps that reset trials leave in the order of finishing.
  func renumber(_ transaction: any StudyTransaction, _ study: Study) throws {
    for (order, trial) in try transaction.finishedTrials(of: study.id, from: 0).enumerated()
    where trial.finishOrder != order {
      var moved = trial
      moved.finishOrder = order
      try transaction.update(moved, of: study.id)
    }
  }

  /// Marks trials whose workers stopped sending heart-beats, or are known to be dead, as stale; after
  /// too many attempts as failed.
  ///
  /// - Returns: How many.
  /// - Throws: ``StudyError``.
  @discardableResult
  public func expireLeases(of study: Study) throws -> Int {
    try write(study) { try expireLeases($0, $1, try $0.now()).count }
  }

  /// What a running trial says whose worker lives on this machine but sent no heart-beat in time.
  static let overdue = "its worker is alive, but sent no heart-beat for the time of the lease"

  /// What a running trial says of whose lease nobody noticed the end for as long again.
  static let unnoticed =
    "no heart-beat came for the time of the lease, and nobody looked for as long again"

  /// The same in a transaction: how many were marked, and the trials that still run.
  @discardableResult
  func expireLeases(
    _ transaction: any StudyTransaction, _ study: Study, _ now: Date
  ) throws -> (count: Int, running: [RunningTrial]) {
    var count = 0
    var running: [RunningTrial] = []
    for known in try transaction.runningTrials(of: study.id) {
      let lease = known.heldSeconds ?? study.definition.limits.lease
      // Longer than any lease: the storage's clock was set back. It counts from now.
      let isTooLong = known.leaseEnd.map { $0.timeIntervalSince(now) > lease + 1 } ?? false
      let isOver = (known.leaseEnd ?? now) < now
      let identity = known.worker.flatMap(ProcessIdentity.init)
      let isDead = identity?.isKnownToBeDead ?? false
      // Of most trials no more has to be read.
      guard isTooLong || isOver || isDead,
        var trial = try transaction.trial(known.number, of: study.id)
      else {
        running.append(known)
        continue
      }
      if isTooLong {
        trial.leaseEnd = now.addingTimeInterval(lease)
        try transaction.update(trial, of: study.id)
      }
      guard isOver || isDead else {
        running.append(known)
        continue
      }
      // Where the whole machine stood still (asleep, paused, too busy), all leases end at once, and
      // whoever wakes first must not take the trials of the others, which are about to send a beat. The
      // same holds where the storage's clock was set forward: workers look at leases all the time.
      let isAlive = identity?.isKnownToBeAlive ?? false
      let isUnnoticed =
        trial.heldSeconds == nil
        && trial.leaseEnd.map { now.timeIntervalSince($0) > lease } ?? false
      let isNoted = trial.reason == Self.overdue || trial.reason == Self.unnoticed
      if !isDead, isAlive || isUnnoticed, !isNoted {
        trial.reason = isAlive ? Self.overdue : Self.unnoticed
        trial.leaseEnd = now.addingTimeInterval(lease / 2)
        try transaction.update(trial, of: study.id)
        running.append(known)
        continue
      }
      count += 1
      var lost = trial
      let worker = trial.worker ?? "unknown"
      lost.attributes[Trial.heldKey] = nil
      lost.reason =
        isDead ? "worker \(worker) ended" : "worker \(worker) stopped sending heart-beats"
      if trial.attempt > study.definition.limits.retries {
        lost.state = .failed
        lost.reason = "\(lost.reason ?? ""), attempt \(trial.attempt), which was the last"
        try finish(&lost, transaction, study)
      } else {
        lost.state = .stale
        lost.leaseEnd = nil
        try transaction.update(lost, of: study.id)
      }
    }
    return (count, running)
  }
}
