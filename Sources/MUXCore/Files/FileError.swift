// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file operation that the system refused: which one, on which path, and why.
public struct FileError: Sendable, Equatable, DescribedError {
  /// What was tried, as a verb phrase such as "open" or "write".
  public let operation: String
  /// The path as the caller gave it.
  public let path: String
  /// The system's error number (`errno`).
  public let code: Int32
  /// What says more than the system's number does.
  public let reason: String?

  /// Records a failed operation.
  public init(operation: String, path: String, code: Int32, reason: String? = nil) {
    self.operation = operation
    self.path = path
    self.code = code
    self.reason = reason
  }

  /// The failure of the system call that just returned, from `errno`.
  package static func last(_ operation: String, _ path: String) -> FileError {
    FileError(operation: operation, path: path, code: errno)
  }

  /// Why, in words: the reason, or what the system calls its number.
  package var cause: String { reason ?? String(cString: strerror(code)) }

  /// What went wrong, in one line.
  public var description: String { "cannot \(operation) \(path): \(cause)" }
}
