// SPDX-License-Identifier: Apache-2.0
import Dispatch

/// Runs an actor's work on a queue of its own instead of the threads that all tasks share, since it
/// may block.
final class StorageThread: SerialExecutor {
  private let queue = DispatchQueue(label: "muxnet.dashboard.storage")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
