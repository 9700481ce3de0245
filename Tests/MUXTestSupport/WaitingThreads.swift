// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
public import Testing

/// Runs the tests of a suite on threads of their own.
///
/// Swift Testing runs as many tests at a time as there are processors, each on a thread of Swift's pool.
/// A test that waits for a process or a lease keeps its thread meanwhile, although the processor is free.
/// On these threads it waits beside the others. For tests that are not `async`: what they call runs where
/// they run.
public struct WaitingThreadsTrait: SuiteTrait, TestTrait, TestScoping {
  /// Also for the tests within a suite.
  public var isRecursive: Bool { true }

  /// Each test by itself; not the suite around it, which waits for all of its tests.
  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    testCase == nil ? nil : self
  }

  /// Runs one test.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(WaitingThreads.shared) { try await function() }
  }
}

extension Trait where Self == WaitingThreadsTrait {
  /// For suites whose tests wait for processes most of the time, and are not `async`.
  public static var onWaitingThreads: Self { WaitingThreadsTrait() }
}

/// A few threads that run jobs in the order in which they come.
private final class WaitingThreads: TaskExecutor {
  static let shared = WaitingThreads(count: 3)

  private let jobs = Mutex<[UnownedJob]>([])
  private let waiting = DispatchSemaphore(value: 0)

  private init(count: Int) {
    for _ in 0..<count {
      let thread = Thread { [self] in
        while true {
          waiting.wait()
          let job = jobs.withLock { $0.removeFirst() }
          job.runSynchronously(on: asUnownedTaskExecutor())
        }
      }
      // Tests run networks and compilers, which need more than a thread's usual half a megabyte on a Mac.
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    waiting.signal()
  }
}
