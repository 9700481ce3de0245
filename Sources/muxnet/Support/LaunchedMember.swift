// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

/// What a launcher has started and waits for: a process of this machine, or all of another one's.
protocol LaunchedMember {
  /// What it is called in messages.
  var name: String { get }
  /// Whether it stands for a host.
  var isHost: Bool { get }
  /// How it ended; nil while it runs.
  func poll() -> ChildProcess.Ending?
  /// Hands on a wish to end.
  func send(_ signal: Int32)
  /// Ends it with all that it has started.
  func kill()
  /// Whether it stands still by a signal, and so can neither notice anything nor end.
  var isStopped: Bool { get }
  /// Waits until all that it wrote is passed on.
  ///
  /// - Parameter errors: Whether errors are, too.
  func waitForLines(passing errors: Bool)
}

extension [any LaunchedMember] {
  /// Waits for the lines of all, which have ended. Where one has refused to begin, the errors of the others
  /// are the same, or that it is gone.
  ///
  /// - Returns: The first that has refused.
  @discardableResult
  func waitForLines() -> (any LaunchedMember)? {
    let refusing = first { $0.poll() == .exit(code: LaunchedEnding.refused) }
    for member in self {
      member.waitForLines(passing: refusing == nil || member.name == refusing?.name)
    }
    return refusing
  }
}

/// This program once more, on this machine, as one of several processes.
final class LocalMember: LaunchedMember {
  let name: String
  let isHost = false
  private let process: ChildProcess
  private let lines: NumberedLines?

  /// Starts it.
  ///
  /// - Parameters:
  ///   - number: Its number; the lines of all but number 0 begin with theirs.
  ///   - arguments: The words of its command line.
  ///   - environment: Variables over those of this process.
  ///   - input: What it finds on its standard input.
  ///   - grace: Seconds that it gets to end where this process has ended.
  ///   - holdsErrors: Whether its errors wait for ``waitForLines(passing:)``.
  /// - Throws: `StudyError` with the system's reason.
  init(
    _ number: Int, _ arguments: [String], environment: [String: String], input: Data? = nil,
    grace: Double, holdsErrors: Bool
  ) throws {
    name = "process \(number)"
    lines = try number == 0 ? nil : NumberedLines(number, holdsErrors: holdsErrors)
    process = try ChildProcess(
      StopRequest.program.path, arguments,
      environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      input: try input.map { .unnamed(try UnnamedFile($0)) } ?? .nothing,
      output: .descriptor(lines?.input ?? STDOUT_FILENO),
      errors: .descriptor(lines?.input ?? STDERR_FILENO), bond: .patient(seconds: grace))
    lines?.hasStarted()
  }

  func poll() -> ChildProcess.Ending? { process.poll() }
  func send(_ signal: Int32) { process.send(signal) }
  func kill() { process.send(SIGKILL, toGroup: true) }
  func waitForLines(passing errors: Bool) { lines?.waitForEnd(passing: errors) }

  var isStopped: Bool {
    // The state stands behind the name, which may have anything in it; elsewhere than on Linux nobody knows.
    guard poll() == nil,
      let text = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return false }
    return text[end...].dropFirst(2).first == "T"
  }
}
