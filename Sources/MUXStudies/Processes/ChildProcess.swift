// SPDX-License-Identifier: Apache-2.0
import CMUXProcess
import Foundation
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A program in a process group of its own, which ends with us: also where this process is killed, the
/// program is ended with all that it has started.
///
/// (Foundation's `Process` leaves its programs running then, and notices the end of a program on Linux
/// only when everything that the program started has ended as well.)
package final class ChildProcess: Sendable {
  /// How a program ended.
  package enum Ending: Sendable, Hashable {
    /// By itself, with a code.
    case exit(code: Int32)
    case signal(Int32)
  }

  /// Where a program reads or writes.
  package enum Stream: Sendable {
    /// Nothing is read, and what is written is lost.
    case nothing
    /// A file by its path; one that is written to is made anew.
    case file(String)
    /// A file without a name.
    case unnamed(UnnamedFile)
    /// Whatever is open there.
    case descriptor(Int32)
  }

  /// What happens to a program whose parent ends first.
  package enum Bond: Sendable, Hashable {
    /// It is ended at once.
    case strict
    /// It is asked to end, and ended after so many seconds.
    case patient(seconds: Double)
    /// It goes on.
    case none

    fileprivate var milliseconds: Int32 {
      switch self {
      case .strict: 0
      case .patient(let seconds): Int32(min(max(seconds, 0.001), 3600) * 1000)
      case .none: -1
      }
    }
  }

  package let processIdentifier: Int32
  private let guardian: Int32
  private let control: Int32
  private let report: Int32
  private let ending = Mutex<Ending?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: The path.
  ///   - arguments: What follows the program's name.
  ///   - environment: All variables.
  ///   - folder: The working folder, nil for ours.
  ///   - input: What the standard input reads.
  ///   - output: Where the standard output goes.
  ///   - errors: Where the standard error goes.
  ///   - bond: What happens to it when this process, or the last reference to this object, goes.
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  package init(
    _ program: String, _ arguments: [String], environment: [String: String],
    folder: String? = nil, input: Stream = .nothing, output: Stream = .nothing,
    errors: Stream = .nothing, bond: Bond = .strict
  ) throws(StudyError) {
    func failure(_ name: String, _ code: Int32) -> StudyError {
      .evaluation(reason: "cannot start \(program): \(name)\(String(cString: strerror(code)))")
    }
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    var ends: [Int32] = []
    let fresh = O_WRONLY | O_CREAT | O_TRUNC
    for (stream, flags) in [(input, O_RDONLY), (output, fresh), (errors, fresh)] {
      switch stream {
      case .unnamed(let file): ends.append(file.descriptor)
      case .descriptor(let number): ends.append(number)
      case .nothing, .file:
        var path = "/dev/null"
        if case .file(let given) = stream { path = given }
        let descriptor = open(path, flags | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("\(path): ", errno) }
        opened.append(descriptor)
        ends.append(descriptor)
      }
    }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var child = mux_child()
    // The files without names close with their last reference.
    let code = withExtendedLifetime((input, output, errors)) {
      mux_child_start(
        program, &words, &variables, folder, ends[0], ends[1], ends[2], bond.milliseconds, &child)
    }
    guard code == 0 else { throw failure("", code) }
    processIdentifier = child.program
    guardian = child.guard
    control = child.control
    report = child.report
  }

  deinit {
    // The guard sees this, as it would see our end.
    close(control)
    close(report)
    guard ending.withLock({ $0 == nil }), waitpid(guardian, nil, WNOHANG) == 0 else { return }
    // It ends soon, but not yet; without a wait for it, its entry would stay as long as this process.
    let number = guardian
    Thread.detachNewThread {
      while waitpid(number, nil, 0) < 0, errno == EINTR {}
    }
  }

  /// How it ended; nil while it runs.
  package func poll() -> Ending? {
    ending.withLock { ending in
      if let ending { return ending }
      let result = waitpid(guardian, nil, WNOHANG)
      guard result == guardian || (result < 0 && errno == ECHILD) else { return nil }
      var status: Int32 = 0
      // Without a word from its guard, it was killed together with it.
      let count = read(report, &status, MemoryLayout<Int32>.size)
      let signal = count == MemoryLayout<Int32>.size ? status & 0x7f : SIGKILL
      ending = signal == 0 ? .exit(code: (status >> 8) & 0xff) : .signal(signal)
      return ending
    }
  }

  /// Whether it has not ended.
  package var isRunning: Bool { poll() == nil }

  /// Waits for its end.
  @discardableResult
  package func wait() -> Ending {
    var pause: UInt32 = 1000
    while true {
      if let ending = poll() { return ending }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }

  /// Sends a signal to the program, or to all that it has started too.
  package func send(_ signal: Int32, toGroup: Bool = false) {
    // Not after its end: the number may be another's by then.
    guard isRunning else { return }
    kill(toGroup ? -processIdentifier : processIdentifier, signal)
  }
}
