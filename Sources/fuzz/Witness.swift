// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Keeps the input that is being read where a signal handler finds it, and saves it when the process
/// is about to end.
///
/// A handler may only call what is safe at any moment: `open`, `write`, `signal` and `raise`. So all
/// that it needs lies in memory of C from before.
enum Witness {
  /// What the handler reads. Written by the one thread that fuzzes, before a signal can come.
  nonisolated(unsafe) private static var path: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var input: UnsafeMutableRawPointer?
  nonisolated(unsafe) private static var inputCount = 0
  nonisolated(unsafe) private static var capacity = 0
  nonisolated(unsafe) private static var limit: UInt32 = 10
  nonisolated(unsafe) private static var hasStack = false

  private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGALRM]

  /// Makes the process give up beyond some memory, so that such an input is saved, too.
  static func limitMemory(megabytes: UInt) {
    guard megabytes > 0 else { return }
    var bounds = rlimit(
      rlim_cur: rlim_t(megabytes) << 20, rlim_max: rlim_t(megabytes) << 20)
    #if canImport(Glibc)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &bounds)
    #else
      setrlimit(RLIMIT_AS, &bounds)
    #endif
  }

  /// Says where the input of a crash goes, and how many seconds one may take.
  static func prepare(path name: String, limit seconds: UInt32) throws {
    free(path)
    path = strdup(name)
    limit = seconds
    if !hasStack {
      // A stack of its own, for inputs that exhaust the other.
      var stack = stack_t()
      stack.ss_size = 1 << 16
      stack.ss_sp = malloc(1 << 16)
      sigaltstack(&stack, nil)
      hasStack = true
    }
    for number in signals {
      var action = sigaction()
      #if canImport(Darwin)
        action.__sigaction_u.__sa_handler = save
      #else
        action.__sigaction_handler.sa_handler = save
      #endif
      action.sa_flags = Int32(bitPattern: UInt32(truncatingIfNeeded: Int(SA_ONSTACK)))
      sigaction(number, &action, nil)
    }
  }

  /// Notes the input that is about to be read, and starts its time.
  static func watch(_ bytes: [UInt8]) {
    if capacity < bytes.count {
      free(input)
      capacity = max(bytes.count, 2 * capacity)
      input = malloc(capacity)
    }
    inputCount = bytes.count
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { input?.copyMemory(from: start, byteCount: source.count) }
    }
    alarm(limit)
  }

  /// Stops the time.
  static func rest() { alarm(0) }

  /// The last input was read.
  static func finish() { inputCount = 0 }

  private static let save: @convention(c) (Int32) -> Void = { number in
    if let path = Witness.path {
      let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
      if file >= 0, let input = Witness.input { _ = write(file, input, Witness.inputCount) }
      close(file)
      let words: StaticString = "\nthe input that ended the process (or took too long) is in "
      _ = write(2, words.utf8Start, words.utf8CodeUnitCount)
      _ = write(2, path, strlen(path))
      _ = write(2, "\n", 1)
    }
    signal(number, SIG_DFL)
    raise(number)
  }
}
