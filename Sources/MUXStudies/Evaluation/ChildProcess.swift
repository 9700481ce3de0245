// SPDX-License-Identifier: Apache-2.0
import Synchronization

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// A program in a process group of its own.
///
/// (Foundation's `Process` notices the end of a program on Linux only when everything that the program
/// started has ended as well.)
public final class ChildProcess: Sendable {
  /// How a program ended.
  public enum Ending: Sendable, Hashable {
    /// By itself, with a code.
    case exit(code: Int32)
    /// By a signal.
    case signal(Int32)
  }

  /// The process's number.
  public let processIdentifier: Int32
  private let ending = Mutex<Ending?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: The path.
  ///   - arguments: What follows the program's name.
  ///   - environment: All variables.
  ///   - folder: The working folder, nil for ours.
  ///   - input: The file for the standard input.
  ///   - output: The file for the standard output, made anew.
  ///   - errors: The file for the standard error, made anew.
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  public init(
    _ program: String, _ arguments: [String], environment: [String: String],
    folder: String? = nil, input: String = "/dev/null", output: String = "/dev/null",
    errors: String = "/dev/null"
  ) throws(StudyError) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let fresh = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, fresh, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, fresh, 0o600)
    // Signals that we handle or block are the child's own business.
    var none = sigset_t()
    sigemptyset(&none)
    var usual = sigset_t()
    sigemptyset(&usual)
    for number in [SIGINT, SIGTERM, SIGPIPE, SIGXFSZ] { sigaddset(&usual, number) }
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &usual)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    // Not every system's posix_spawn changes the folder; the shell does.
    let line =
      folder.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0, program] } ?? [program]
    var words = (line + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var number: pid_t = 0
    let code = posix_spawn(&number, line[0], &actions, &attributes, &words, &variables)
    guard code == 0 else {
      throw .evaluation(reason: "cannot start \(program): \(String(cString: strerror(code)))")
    }
    processIdentifier = number
  }

  /// How it ended; nil while it runs.
  public func poll() -> Ending? {
    ending.withLock { ending in
      if let ending { return ending }
      var status: Int32 = 0
      let result = waitpid(processIdentifier, &status, WNOHANG)
      if result == processIdentifier {
        let signal = status & 0x7f
        ending = signal == 0 ? .exit(code: (status >> 8) & 0xff) : .signal(signal)
      } else if result < 0, errno == ECHILD {
        ending = .signal(SIGKILL)  // somebody else took its ending
      }
      return ending
    }
  }

  /// Whether it has not ended.
  public var isRunning: Bool { poll() == nil }

  /// Waits for its end.
  @discardableResult
  public func wait() -> Ending {
    var pause: UInt32 = 1000
    while true {
      if let ending = poll() { return ending }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }

  /// Sends a signal to the program, or to all that it has started too.
  public func send(_ signal: Int32, toGroup: Bool = false) {
    // Not after its end: the number may be another's by then.
    guard isRunning else { return }
    kill(toGroup ? -processIdentifier : processIdentifier, signal)
  }
}
