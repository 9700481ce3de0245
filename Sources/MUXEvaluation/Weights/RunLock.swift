// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Keeps two processes from writing one run at a time. The system gives the lock back when the process
/// that has it ends, however it ends.
package final class RunLock: Sendable {
  private let lock: FileLock

  /// Takes the lock of a run.
  ///
  /// - Parameter path: The run's folder.
  /// - Throws: ``RunFolderError/inUse(path:)`` if another has it, or an error that says why the folder
  ///   cannot be written. File systems that know no locks are not an error.
  package init(_ path: String) throws(RunFolderError) {
    let lock: FileLock?
    do { lock = try FileLock(ifFree: "\(path)/.lock") } catch {
      throw .notWritable(path: path, code: error.code)
    }
    guard let lock else { throw .inUse(path: path) }
    self.lock = lock
  }

  /// Whether a process is at work on a run.
  ///
  /// - Parameter path: The run's folder.
  package static func isHeld(_ path: String) -> Bool { FileLock.isHeld("\(path)/.lock") }
}
