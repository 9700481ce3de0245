// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// A worker in a process of its own. When this process ends first, the worker is asked to put its
/// trial back.
public final class WorkerProcess {
  /// The exit code of a worker that cannot be of use, so that another one would not be either.
  public static let uselessCode: Int32 = 1
  /// Seconds that a worker gets to put its trial back.
  static let grace = 20.0

  private let process: ChildProcess
  private let log: UnnamedFile
  private var watch = Stopwatch()

  /// Starts a program; its standard error is kept for the case of its death.
  ///
  /// - Parameters:
  ///   - program: The file.
  ///   - arguments: Its arguments.
  ///   - environment: All variables.
  ///   - input: What it finds on its standard input, where nobody else can read it.
  /// - Throws: ``StudyError/evaluation(reason:)`` with the system's reason.
  public init(
    _ program: URL, _ arguments: [String], environment: [String: String], input: Data = Data()
  ) throws(StudyError) {
    log = try UnnamedFile()
    process = try ChildProcess(
      program.path, arguments, environment: environment, input: .unnamed(UnnamedFile(input)),
      errors: .unnamed(log), bond: .patient(seconds: Self.grace))
  }

  /// The process's number.
  public var processIdentifier: Int32 { process.processIdentifier }
  /// Whether it has not ended.
  public var isRunning: Bool { process.isRunning }
  /// Seconds since its start.
  var age: Double { watch.seconds() }
  /// Whether it ended with success.
  var isWell: Bool { process.poll() == .exit(code: 0) }
  /// Whether it found an error that another worker would find too.
  var isUseless: Bool { process.poll() == .exit(code: Self.uselessCode) }

  /// How it ended, in words.
  var ending: String {
    switch process.poll() {
    case .exit(let code): "worker \(processIdentifier) ended with exit code \(code)"
    case .signal(let number): "worker \(processIdentifier) was ended by signal \(number)"
    case nil: "worker \(processIdentifier) runs"
    }
  }

  /// The last line that it wrote to its standard error.
  var lastError: String {
    let line = log.lastLine() ?? "nothing"
    return line.hasPrefix("error: ") ? String(line.dropFirst(7)) : line
  }

  func send(_ signal: Int32) { process.send(signal) }
}
