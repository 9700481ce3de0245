// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A folder for temporary files that goes with us: when the last reference to it goes, or this process
/// ends in whatever way, it is removed with all that is in it.
package final class PassingFolder: Sendable {
  /// Where it is.
  package let path: String
  private let remover: ChildProcess
  private let line: Int32

  /// Makes a folder whose name begins so.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  package init(_ prefix: String) throws(StudyError) {
    var template = Array(
      FileManager.default.temporaryDirectory.appendingPathComponent("\(prefix)-XXXXXX").path
        .utf8CString)
    let made = template.withUnsafeMutableBufferPointer { pointer -> String? in
      pointer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    guard let made else {
      throw .evaluation(
        reason: "cannot make a temporary folder: \(String(cString: strerror(errno)))")
    }
    path = made
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      rmdir(made)
      throw .evaluation(reason: "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    line = ends[1]
    do {
      // Reads until our end of the pipe is closed, by us or by our end.
      remover = try ChildProcess(
        "/bin/sh", ["-c", "cat >/dev/null; exec rm -rf -- \"$0\"", made],
        environment: ["PATH": "/usr/bin:/bin"], input: .descriptor(ends[0]), bond: .none)
    } catch {
      close(ends[1])
      rmdir(made)
      throw error
    }
  }

  deinit {
    close(line)
    remover.wait()
  }
}
