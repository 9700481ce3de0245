// SPDX-License-Identifier: Apache-2.0
internal import MUXCore
internal import Synchronization

/// The calls of a pool that wait, in their order, and the threads that take them.
///
/// A thread that finds nothing to do sleeps on a semaphore of its own. Who wakes it has taken it out of
/// the list of sleepers before, with the lock held, so that no two wake the same one.
final class PoolQueue: Sendable {
  /// How calls are gathered, and how many may wait.
  struct Settings: Sendable {
    /// The most images of a run.
    var images = 1
    /// How long the first one waits for the others.
    var delay = Duration.zero
    /// The most calls that wait; nil for any number.
    var waiting: Int?
  }

  private struct State {
    /// The calls that wait, by their numbers. Cancelled ones leave a gap.
    var calls: [Int: PoolCall] = [:]
    /// No call before this number waits.
    var first = 0
    /// The number of the next call.
    var next = 0
    /// Threads that sleep; of those in `timed`, each wakes by itself when a batch is due.
    var sleeping: [Int] = []
    var timed: Set<Int> = []
    var isShutDown = false
    /// Threads that compute nothing.
    var free: Int
    /// Threads that have not ended.
    var threads: Int
    /// Who waits for all threads to end.
    var ending: [CheckedContinuation<Void, Never>] = []
    var counts = EnginePool.Counts()
  }

  /// What a thread may do next.
  private enum Turn {
    case take([PoolCall])
    /// A batch that is not full is due then.
    case wait(until: ContinuousClock.Instant)
    case sleep
    case end
  }

  private let settings: Settings
  private let state: Mutex<State>
  private let wakeUps: [TimedSemaphore]

  init(_ settings: Settings, threads: Int) {
    self.settings = settings
    state = Mutex(State(free: threads, threads: threads))
    wakeUps = (0..<threads).map { _ in TimedSemaphore() }
  }

  var counts: EnginePool.Counts {
    state.withLock { state in
      var counts = state.counts
      counts.waiting = state.calls.count
      return counts
    }
  }

  // MARK: Callers

  /// Lets a call wait, or refuses it.
  func enter(_ call: PoolCall, _ ticket: PoolTicket) {
    let refusal = state.withLock { state -> (any Error)? in
      if state.isShutDown {
        state.counts.refused += 1
        return RuntimeError.poolShutDown
      }
      // What a free thread is about to take does not wait.
      if let limit = settings.waiting, state.calls.count >= limit + state.free {
        state.counts.refused += 1
        return RuntimeError.poolFull(waiting: state.calls.count)
      }
      let number = state.next
      guard ticket.enter(number: number) else {
        state.counts.cancelled += 1
        return CancellationError()
      }
      state.next += 1
      state.calls[number] = call
      wakeIfNeeded(&state)
      return nil
    }
    if let refusal { call.refuse(refusal) }
  }

  /// Takes out a call whose caller is not interested any more, if it still waits.
  func cancel(_ ticket: PoolTicket) {
    guard let number = ticket.cancel() else { return }
    let call = state.withLock { state -> PoolCall? in
      guard let call = state.calls.removeValue(forKey: number) else { return nil }
      state.counts.cancelled += 1
      return call
    }
    call?.refuse(CancellationError())
  }

  /// Takes no more calls; those that wait are computed, or refused.
  func shutDown(finishingWaiting: Bool) {
    let refused = state.withLock { state -> [PoolCall] in
      state.isShutDown = true
      var refused: [PoolCall] = []
      if !finishingWaiting {
        refused = state.calls.sorted { $0.key < $1.key }.map(\.value)
        state.counts.refused += refused.count
        state.calls = [:]
      }
      for thread in state.sleeping { wakeUps[thread].signal() }
      state.sleeping = []
      state.timed = []
      return refused
    }
    for call in refused { call.refuse(RuntimeError.poolShutDown) }
  }

  /// Waits until all threads have ended, after ``shutDown(finishingWaiting:)``.
  func ended() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.threads > 0 { state.ending.append(continuation) }
        return state.threads == 0
      }
      if isOver { continuation.resume() }
    }
  }

  // MARK: Threads

  /// What a thread is to compute next: an image, several that share a run, or something else on its own.
  /// Waits for it; nil if the thread shall end.
  func next(for thread: Int) -> [PoolCall]? {
    while true {
      let turn = state.withLock { state -> Turn in
        let turn = self.turn(&state)
        switch turn {
        case .take(let calls):
          state.counts.computing += calls.count
          state.free -= 1
          state.counts.runs += 1
          // What is left may be enough for another thread.
          wakeIfNeeded(&state)
        case .wait:
          state.sleeping.append(thread)
          state.timed.insert(thread)
        case .sleep: state.sleeping.append(thread)
        case .end: break
        }
        return turn
      }
      switch turn {
      case .take(let calls): return calls
      case .wait(let due): sleep(thread, until: due)
      case .sleep: wakeUps[thread].wait()
      case .end: return nil
      }
    }
  }

  /// Notes how a call ended, before its caller learns of it.
  func finished(succeeded: Bool) {
    state.withLock { state in
      state.counts.computing -= 1
      if succeeded { state.counts.finished += 1 } else { state.counts.failed += 1 }
    }
  }

  /// Notes that a thread has computed what it took.
  func freed() {
    state.withLock { $0.free += 1 }
  }

  /// Notes that a thread has ended.
  func left() {
    let ending = state.withLock { state in
      state.threads -= 1
      guard state.threads == 0 else { return [] as [CheckedContinuation<Void, Never>] }
      defer { state.ending = [] }
      return state.ending
    }
    for continuation in ending { continuation.resume() }
  }

  /// Sleeps until a batch is due, or somebody wakes the thread before.
  private func sleep(_ thread: Int, until due: ContinuousClock.Instant) {
    guard !wakeUps[thread].wait(seconds: ContinuousClock.now.duration(to: due) / .seconds(1)) else {
      return
    }
    let wasWoken = state.withLock { state in
      state.timed.remove(thread)
      guard let place = state.sleeping.firstIndex(of: thread) else { return true }
      state.sleeping.remove(at: place)
      return false
    }
    // Somebody has woken it in the same moment: that counts for this sleep.
    if wasWoken { wakeUps[thread].wait() }
  }

  /// Wakes a thread if there is something for it to do.
  private func wakeIfNeeded(_ state: inout State) {
    guard let last = state.sleeping.last else { return }
    let thread: Int
    switch look(&state) {
    case .take: thread = last
    case .wait:
      // One thread that watches the clock is enough.
      guard state.timed.isEmpty else { return }
      thread = last
    case .sleep, .end: return
    }
    state.sleeping.removeLast()
    state.timed.remove(thread)
    wakeUps[thread].signal()
  }

  /// What there is to do; what is to be computed is taken out of the queue.
  private func turn(_ state: inout State) -> Turn {
    switch look(&state) {
    case .take(let numbers): .take(numbers.compactMap { state.calls.removeValue(forKey: $0) })
    case .wait(let due): .wait(until: due)
    case .sleep: .sleep
    case .end: .end
    }
  }

  private enum Look {
    case take([Int])
    case wait(until: ContinuousClock.Instant)
    case sleep
    case end
  }

  private func look(_ state: inout State) -> Look {
    while state.first < state.next, state.calls[state.first] == nil { state.first += 1 }
    guard let call = state.calls[state.first] else { return state.isShutDown ? .end : .sleep }
    guard let kind = call.shared else { return .take([state.first]) }
    var numbers = [state.first]
    var number = state.first + 1
    while numbers.count < settings.images, number < state.next {
      if let other = state.calls[number] {
        // Calls keep their order, so that one of another kind ends the batch.
        guard other.shared == kind else { return .take(numbers) }
        numbers.append(number)
      }
      number += 1
    }
    let due = call.arrival.advanced(by: settings.delay)
    guard numbers.count < settings.images, !state.isShutDown, ContinuousClock.now < due else {
      return .take(numbers)
    }
    return .wait(until: due)
  }
}
