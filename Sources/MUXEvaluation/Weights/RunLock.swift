// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Keeps two processes from writing one run at a time. The system gives the lock back when the process
/// that has it ends, however it ends.
public final class RunLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of a run.
  ///
  /// - Parameter path: The run's folder.
  /// - Throws: ``RunFolderError/inUse(path:)`` if another has it, or an error that says why the folder
  ///   cannot be written. File systems that know no locks are not an error.
  public init(_ path: String) throws(RunFolderError) {
    descriptor = open("\(path)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .notWritable(path: path, code: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    throw .inUse(path: path)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
