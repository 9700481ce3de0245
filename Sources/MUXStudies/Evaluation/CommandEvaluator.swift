// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworkFiles
import MUXNetworks
import MUXSearch

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Lets a program of the user's evaluate, in any language.
///
/// The line is given to the shell. On its standard input the program finds a JSON object: `study`,
/// `trial`, `attempt`, `seed`, `genome`, `genes` (name to number of the choice), `known` (objectives
/// that follow from the network) and `architecture` (YAML, as `muxnet describe` takes it). The last
/// line of its standard output is a JSON object with the objectives by name, such as
/// `{"error": 7.5}`; what else is in it is kept with the trial. A line such as
/// `{"report": 3, "error": 12.5}` on the way says what was reached after 3 epochs; where that stops the
/// evaluation, the program is ended and the trial has the values of that line. Any other line is log, the
/// end of which is kept as the attribute `log`. An exit code other than 0 is a failure,
/// the last line of the standard error the reason. What it writes is bounded, by
/// ``mostOutput`` bytes each.
///
/// The program gets our environment, but no way into the storage: variables that name it or hold a
/// password for it are left out unless an address is passed on.
public struct CommandEvaluator: TrialEvaluator {
  /// The line for the shell.
  public let line: String
  /// The address of the storage for the program, as `MUXNET_STORAGE`; nil for none.
  private let storage: StorageURL?
  private let mostOutput: Int

  /// The variables by which programs find a storage, or a password for it.
  static let storageVariables = ["MUXNET_STORAGE", "PGPASSWORD", "PGPASSFILE"]
  /// The most bytes that a program may write to its standard output, or to its standard error.
  public static let mostOutput = 1 << 30

  /// An evaluator.
  ///
  /// - Parameters:
  ///   - line: The line for the shell.
  ///   - storage: The storage's address for programs that ask for it, with its password, as
  ///     `MUXNET_STORAGE`; nil for programs that shall not get at it.
  public init(line: String, passing storage: StorageURL? = nil) {
    self.init(line: line, passing: storage, mostOutput: Self.mostOutput)
  }

  package init(line: String, passing storage: StorageURL? = nil, mostOutput: Int) {
    self.line = line
    self.storage = storage
    self.mostOutput = mostOutput
  }

  /// Runs the program and waits for it.
  public func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    // Files instead of pipes: nothing can block, however much is written.
    let output = try UnnamedFile()
    let errors = try UnnamedFile()
    var environment = ProcessInfo.processInfo.environment
    if let storage {
      environment["MUXNET_STORAGE"] = storage.textWithSecrets
    } else {
      for name in Self.storageVariables { environment[name] = nil }
    }
    environment["MUXNET_TRIAL"] = "\(request.trial.number)"
    environment["MUXNET_STUDY"] = request.study.name
    let process = try ChildProcess(
      "/bin/sh", ["-c", line], environment: environment,
      input: .unnamed(UnnamedFile(try TrialInput(request).json())), output: .unnamed(output),
      errors: .unnamed(errors))
    defer { Self.log(output, errors).map { context.note("log", $0) } }
    var reports = ReportReader(output)
    var pause: UInt32 = 1_000
    while process.isRunning {
      if context.isCancelled {
        // With all that it has started.
        process.send(SIGKILL, toGroup: true)
        process.wait()
        throw StudyError.evaluation(reason: "the evaluation was cancelled")
      }
      if max(output.size, errors.size) > mostOutput {
        process.send(SIGKILL, toGroup: true)
        process.wait()
        throw StudyError.evaluation(
          reason: "the command printed more than \(mostOutput) bytes; let it write to a file")
      }
      if let last = try reports.next(context, request.problem.objectives) {
        process.send(SIGKILL, toGroup: true)
        process.wait()
        return last
      }
      usleep(pause)
      pause = min(pause * 2, 50_000)
    }
    switch process.wait() {
    case .exit(code: 0): break
    case .exit(let code):
      throw StudyError.evaluation(
        reason:
          "the command ended with exit code \(code): \(errors.lastLine() ?? "no message")")
    case .signal(let number):
      throw StudyError.evaluation(
        reason:
          "the command ended with signal \(number): \(errors.lastLine() ?? "no message")")
    }
    // What it printed since the last look; too late to be stopped for it.
    _ = try reports.next(context, request.problem.objectives)
    let printed = try Self.values(output.lastLine())
    try printed.check(request.problem.objectives)
    for (name, text) in printed.notes { context.note(name, text) }
    return printed.values
  }

  /// The most bytes of a log that are kept with a trial.
  private static let longestLog = 2_000

  /// The ends of what was printed, without the result; nil if there is nothing else.
  private static func log(_ output: UnnamedFile, _ errors: UnnamedFile) -> String? {
    func lines(_ file: UnnamedFile) -> [Substring] {
      let text = String(decoding: file.suffix(longestLog), as: UTF8.self)
      return text.split(whereSeparator: \.isNewline)
    }
    var printed = lines(output)
    if let last = printed.last, PrintedValues(String(last)) != nil { printed.removeLast() }
    let all = (printed + lines(errors)).joined(separator: "\n")
    return all.isEmpty ? nil : String(all.suffix(longestLog))
  }

  /// Reads the answer. Python writes NaN and Infinity, which JSON does not know.
  static func values(_ line: String?) throws -> PrintedValues {
    guard let line else {
      throw StudyError.evaluation(reason: "the command printed no result")
    }
    let shown = line.count > 80 ? line.prefix(77) + "…" : line[...]
    if let special = line.firstMatch(of: /:\s*(NaN|-?Infinity)/) {
      throw StudyError.evaluation(
        reason: "the command printed \(special.output.1), not a finite number: \(shown)")
    }
    guard let printed = PrintedValues(line) else {
      throw StudyError.evaluation(
        reason: "the command's last line is no JSON object of numbers such as {\"error\": 7.5}:"
          + " \(shown)")
    }
    guard printed.report == nil else {
      throw StudyError.evaluation(
        reason: "the command printed no result after its last report: \(shown)")
    }
    return printed
  }
}

/// Finds the reports in what a program has printed so far, each once.
private struct ReportReader {
  private let output: UnnamedFile
  private var place = 0
  private var rest = Data()

  init(_ output: UnnamedFile) { self.output = output }

  /// Passes new reports on; gives the values of the one at which the evaluation is to stop.
  ///
  /// - Throws: ``StudyError``.
  mutating func next(
    _ context: EvaluationContext, _ objectives: [Objective]
  ) throws -> [String: Double]? {
    // What is printed meanwhile is for the next look: a program may print faster than this reads, and the
    // bound on its output is looked at in between.
    let size = output.size
    while place < size {
      let read = output.bytes(from: place, min(size - place, 65_536))
      guard !read.isEmpty else { return nil }
      place += read.count
      rest += read
      var begin = rest.startIndex
      while let end = rest[begin...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[begin..<end]
        begin = rest.index(after: end)
        if let last = try take(line, context, objectives) { return last }
      }
      rest = Data(rest[begin...])
      // A line without end is no report.
      if rest.count > 1 << 20 { rest = Data() }
    }
    return nil
  }

  private func take(
    _ line: Data, _ context: EvaluationContext, _ objectives: [Objective]
  ) throws -> [String: Double]? {
    guard line.first == UInt8(ascii: "{"),
      let printed = PrintedValues(String(decoding: line, as: UTF8.self)),
      let resource = printed.report
    else { return nil }
    guard resource > 0 else {
      throw StudyError.evaluation(
        reason: "a report is of a whole number above 0: \(String(decoding: line, as: UTF8.self))")
    }
    do {
      try printed.check(objectives)
      return try context.report(resource, printed.values) == .stop ? printed.values : nil
    } catch StudyError.evaluation(let reason) {
      // The result may well have what the report lacks.
      throw StudyError.evaluation(reason: "in the report of \(resource): \(reason)")
    }
  }
}
