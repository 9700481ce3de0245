// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

/// Passes on lines of a process with its number before them.
final class NumberedLines: Sendable {
  let input: Int32
  private let output: Int32
  private let done = DispatchSemaphore(value: 0)
  private let rank: Int

  init(_ rank: Int) throws {
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
    let (output, rank, done) = (output, rank, done)
    let thread = Thread {
      var rest: [UInt8] = []
      var bytes = [UInt8](repeating: 0, count: 4096)
      func tell(_ line: some Sequence<UInt8>) {
        Console.note("[\(rank)] \(String(decoding: Array(line), as: UTF8.self))")
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

  func waitForEnd() { done.wait() }
}
