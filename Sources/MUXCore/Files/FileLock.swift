// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file by which processes agree who may go on. The system gives the lock back when the process that
/// has it ends, however it ends; the file stays.
package final class FileLock: Sendable {
  private let descriptor: Int32
  /// There are file systems that number a file anew each time they are asked.
  private static let mostTries = 100

  /// Takes a lock that nobody has, or nil if somebody has it. File systems that know no locks are not an
  /// error.
  package init?(ifFree path: String) throws(FileError) {
    var tries = 0
    while true {
      let file = try Self.opened(path)
      if flock(file, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        close(file)
        return nil
      }
      tries += 1
      if Self.isAt(path, file) || tries == Self.mostTries {
        descriptor = file
        return
      }
      Self.release(file)
    }
  }

  /// Waits for a lock and takes it.
  package init(waitingFor path: String) throws(FileError) {
    var tries = 0
    while true {
      let file = try Self.opened(path)
      while flock(file, LOCK_EX) != 0, errno == EINTR {}
      tries += 1
      if Self.isAt(path, file) || tries == Self.mostTries {
        descriptor = file
        return
      }
      Self.release(file)
    }
  }

  /// Whether an open file is still the one of that path: who had the lock may have removed it.
  private static func isAt(_ path: String, _ file: Int32) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(file, &opened) == 0 && stat(path, &named) == 0
      && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }

  /// Whether somebody has the lock, asked without taking it: those who ask are never in each other's way.
  package static func isHeld(_ path: String) -> Bool {
    // Where a pipe has that name, opening it does not wait for somebody who writes.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    // What is shared here for a moment is given back with the descriptor.
    defer { release(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  private static func opened(_ path: String) throws(FileError) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .last("lock", path) }
    return descriptor
  }

  deinit { Self.release(descriptor) }

  /// Closing alone is not enough: a process that is being started just now has the descriptor, too, until its
  /// program begins.
  private static func release(_ descriptor: Int32) {
    guard descriptor >= 0 else { return }
    _ = flock(descriptor, LOCK_UN)
    close(descriptor)
  }
}
