// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXCore
import Synchronization

/// The batches of one or more epochs in order, made ahead by worker threads.
///
/// The workers stop when the stream ends, fails, is cancelled or is no longer held by anyone.
public final class BatchStream: Sendable {
  private let core: LoaderCore

  init(loader: DataLoader, epochs: Range<Int>, startingAt batch: Int) {
    let core = LoaderCore(loader: loader, epochs: epochs, startingAt: batch)
    self.core = core
    for worker in 0..<min(loader.settings.workers, loader.settings.prefetch) {
      // The thread holds the core, not the stream, so that dropping the stream ends it.
      let thread = Thread { core.work() }
      thread.name = "muxnet loader \(worker)"
      thread.stackSize = 1 << 21
      thread.start()
    }
  }

  deinit { core.cancel() }

  /// The next batch, waiting for it if need be; nil after the last one or after `cancel()`.
  /// - Throws: The error of the sample that could not be decoded or transformed, which names the
  ///   file. It comes in the place of its batch: all batches before it are given first.
  public func next() throws -> Batch? { try core.next() }

  /// Stops the workers; `next()` gives nil from now on.
  public func cancel() { core.cancel() }

  /// Seconds that `next()` has waited for workers so far.
  public var secondsWaited: Double { core.secondsWaited }
}

/// What the stream and its workers share.
///
/// `@unchecked Sendable`: every variable below `condition` is read and written only while
/// `condition` is locked.
private final class LoaderCore: @unchecked Sendable {
  private let loader: DataLoader
  private let firstEpoch: Int
  private let perEpoch: Int
  private let end: Int
  private let isCancelled = Atomic<Bool>(false)

  private let condition = NSCondition()
  // Positions count batches from the start of `firstEpoch`.
  private var nextToMake: Int
  private var nextToGive: Int
  private var finished: [Int: Result<Batch, any Error>] = [:]
  private var orders: [Int: [Int]] = [:]
  private var waited = 0.0

  init(loader: DataLoader, epochs: Range<Int>, startingAt batch: Int) {
    self.loader = loader
    firstEpoch = epochs.lowerBound
    perEpoch = loader.batchesPerEpoch
    let (product, overflow) = epochs.count.multipliedReportingOverflow(by: perEpoch)
    end = overflow ? .max : product
    nextToMake = batch
    nextToGive = batch
  }

  var secondsWaited: Double {
    condition.lock()
    defer { condition.unlock() }
    return waited
  }

  func cancel() {
    isCancelled.store(true, ordering: .relaxed)
    condition.lock()
    finished = [:]
    condition.broadcast()
    condition.unlock()
  }

  /// The life of a worker.
  func work() {
    while let (position, order) = take() {
      let result = Result { try make(position, order: order) }
      condition.lock()
      if !isCancelled.load(ordering: .relaxed) { finished[position] = result }
      condition.broadcast()
      condition.unlock()
    }
  }

  private func take() -> (Int, [Int])? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if isCancelled.load(ordering: .relaxed) || nextToMake >= end { return nil }
      if nextToMake - nextToGive < loader.settings.prefetch { break }
      condition.wait()
    }
    let position = nextToMake
    nextToMake += 1
    return (position, order(at: position))
  }

  /// The order of the epoch of a position; at most two epochs are under way at a time.
  private func order(at position: Int) -> [Int] {
    let epoch = firstEpoch + position / perEpoch
    if let order = orders[epoch] { return order }
    orders = orders.filter { $0.key >= firstEpoch + nextToGive / perEpoch }
    let order = loader.draws(ofEpoch: epoch)
    orders[epoch] = order
    return order
  }

  private func make(_ position: Int, order: [Int]) throws -> Batch {
    try loader.makeBatch(
      epoch: firstEpoch + position / perEpoch, index: position % perEpoch, order: order
    ) { isCancelled.load(ordering: .relaxed) }
  }

  func next() throws -> Batch? {
    if loader.settings.workers == 0 { return try nextInPlace() }
    condition.lock()
    defer { condition.unlock() }
    var start: ContinuousClock.Instant?
    while finished[nextToGive] == nil {
      if nextToGive >= end || isCancelled.load(ordering: .relaxed) { return nil }
      if start == nil { start = .now }
      condition.wait()
    }
    if let start { addWait(since: start) }
    guard let result = finished.removeValue(forKey: nextToGive) else { return nil }
    nextToGive += 1
    if case .failure = result {
      isCancelled.store(true, ordering: .relaxed)
      finished = [:]
    }
    condition.broadcast()
    return try result.get()
  }

  private func nextInPlace() throws -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    guard nextToGive < end, !isCancelled.load(ordering: .relaxed) else { return nil }
    let start = ContinuousClock.now
    defer { addWait(since: start) }
    let position = nextToGive
    nextToGive += 1
    do {
      return try make(position, order: order(at: position))
    } catch {
      isCancelled.store(true, ordering: .relaxed)
      throw error
    }
  }

  private func addWait(since start: ContinuousClock.Instant) {
    waited += Seconds.since(start)
  }
}
