// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXTestSupport
import Testing

@Suite("Programs that end with us", .tags(.processes), .endsSometime, .onWaitingThreads)
struct ChildProcessTests {
  /// A shell that writes its guard's number and its own, and then does not end by itself.
  private func start(
    _ folder: TemporaryFolder, _ name: String, bond: ChildProcess.Bond
  ) throws -> (child: ChildProcess, numbers: [Int32]) {
    let file = folder(name)
    let child = try ChildProcess(
      "/bin/sh", ["-c", "echo $PPID $$; exec sleep 600"], environment: [:],
      output: .file(file), bond: bond)
    var numbers: [Int32] = []
    #expect(
      try eventually {
        numbers = try String(contentsOfFile: file, encoding: .utf8).split(
          whereSeparator: \.isWhitespace
        ).compactMap { Int32($0) }
        return numbers.count == 2
      })
    return (child, numbers)
  }

  /// Whether a process has no entry any more; also one that has ended has an entry until somebody waits.
  private func isGone(_ number: Int32) -> Bool { kill(number, 0) != 0 && errno == ESRCH }

  @Test(
    "A program that is given up ends, and neither it nor its guard leaves an entry",
    arguments: [.strict, .patient(seconds: 5)] as [ChildProcess.Bond])
  func givenUp(bond: ChildProcess.Bond) throws {
    let folder = try TemporaryFolder()
    var numbers: [Int32] = []
    for index in 0..<5 { numbers += try start(folder, "\(index)", bond: bond).numbers }
    #expect(numbers.count == 10)
    #expect(eventually { numbers.allSatisfy { isGone($0) } })
  }

  @Test("Nor does one that was waited for")
  func waitedFor() throws {
    let folder = try TemporaryFolder()
    let (child, numbers) = try start(folder, "one", bond: .strict)
    #expect(child.isRunning)
    child.send(SIGTERM)
    #expect(child.wait() == .signal(SIGTERM))
    #expect(eventually { numbers.allSatisfy { isGone($0) } })
  }

  @Test("A program without a bond goes on, and leaves no entry when it ends")
  func unbound() throws {
    let folder = try TemporaryFolder()
    let numbers = try start(folder, "one", bond: .none).numbers
    usleep(200_000)
    let program = try #require(numbers.last)
    #expect(!isGone(program))
    kill(program, SIGKILL)
    #expect(eventually { numbers.allSatisfy { isGone($0) } })
  }
}
