// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import Synchronization

/// Passes on lines of a process with its number before them.
final class NumberedLines: Sendable {
  let input: Int32
  private let output: Int32
  private let done = DispatchSemaphore(value: 0)
  private let rank: Int
  private let holdsErrors: Bool
  private let errors = Mutex<[String]>([])

  /// - Parameters:
  ///   - rank: The number.
  ///   - holdsErrors: Whether errors wait for the end, since all processes may say the same.
  init(_ rank: Int, holdsErrors: Bool) throws {
    self.holdsErrors = holdsErrors
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw CommandError("cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    output = ends[0]
    input = ends[1]
    self.rank = rank
  }

  /// Closes this process's own end, and begins to read.
  func hasStarted() {
    close(input)
    let (output, done) = (output, done)
    let thread = Thread {
      var rest: [UInt8] = []
      var bytes = [UInt8](repeating: 0, count: 4096)
      func tell(_ line: some Sequence<UInt8>) {
        let text = String(decoding: Array(line), as: UTF8.self)
        if self.holdsErrors, text.hasPrefix("error: ") {
          self.errors.withLock { $0.append(text) }
        } else {
          Console.note("[\(self.rank)] \(text)")
        }
      }
      while true {
        let count = read(output, &bytes, bytes.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        rest += bytes[..<count]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          tell(rest[..<end])
          rest.removeFirst(end + 1)
        }
      }
      if !rest.isEmpty { tell(rest) }
      close(output)
      done.signal()
    }
    thread.start()
  }

  /// Waits until all is passed on.
  ///
  /// - Parameter errors: Whether those that were held are, too.
  func waitForEnd(passing errors: Bool) {
    done.wait()
    guard errors else { return }
    for text in self.errors.withLock({ $0 }) { Console.note("[\(rank)] \(text)") }
  }
}
