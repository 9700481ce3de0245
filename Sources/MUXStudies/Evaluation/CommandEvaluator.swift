// SPDX-License-Identifier: Apache-2.0
import Foundation
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
/// `{"error": 7.5}`; any other line is progress and ignored. An exit code other than 0 is a failure,
/// the last line of the standard error the reason.
public struct CommandEvaluator: TrialEvaluator {
  /// The line for the shell.
  public let line: String

  /// An evaluator.
  public init(line: String) { self.line = line }

  private struct Input: Encodable {
    var study: String
    var trial: Int
    var attempt: Int
    var seed: UInt64
    var genome: Genome
    var genes: [String: Int]
    var known: [String: Double]
    var architecture: String?
  }

  /// Runs the program and waits for it.
  public func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("muxnet-evaluation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Files instead of pipes: nothing can block, however much is written.
    let inputURL = folder.appendingPathComponent("input.json")
    try input(request).write(to: inputURL)
    let outputURL = folder.appendingPathComponent("output")
    let errorURL = folder.appendingPathComponent("errors")
    let process = try ChildProcess(
      "/bin/sh", ["-c", line],
      environment: ProcessInfo.processInfo.environment.merging([
        "MUXNET_TRIAL": "\(request.trial.number)", "MUXNET_STUDY": request.study.name,
      ]) { $1 }, input: inputURL.path, output: outputURL.path, errors: errorURL.path)
    var pause: UInt32 = 1_000
    while process.isRunning {
      if context.isCancelled {
        // With all that it has started.
        process.send(SIGKILL, toGroup: true)
        process.wait()
        throw StudyError.evaluation(reason: "the evaluation was cancelled")
      }
      usleep(pause)
      pause = min(pause * 2, 50_000)
    }
    switch process.wait() {
    case .exit(code: 0): break
    case .exit(let code):
      throw StudyError.evaluation(
        reason:
          "the command ended with exit code \(code): \(Self.lastLine(errorURL) ?? "no message")")
    case .signal(let number):
      throw StudyError.evaluation(
        reason:
          "the command ended with signal \(number): \(Self.lastLine(errorURL) ?? "no message")")
    }
    return try Self.values(Self.lastLine(outputURL))
  }

  private func input(_ request: EvaluationRequest) throws -> Data {
    let genes = request.problem.domain.genes
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(
      Input(
        study: request.study.name, trial: request.trial.number, attempt: request.trial.attempt,
        seed: request.study.definition.seed, genome: request.trial.genome,
        genes: Dictionary(
          zip(genes.map(\.name), request.trial.genome.values), uniquingKeysWith: { $1 }),
        known: request.knownValues,
        architecture: try request.architecture().map { try NetworkFile.yaml($0) }))
  }

  private static func lastLine(_ url: URL) -> String? {
    guard let data = try? Data(contentsOf: url) else { return nil }
    return String(decoding: data.suffix(65_536), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .last { !$0.isEmpty }
  }

  /// Reads the answer. Python writes NaN and Infinity, which JSON does not know.
  static func values(_ line: String?) throws -> [String: Double] {
    guard let line else {
      throw StudyError.evaluation(reason: "the command printed no result")
    }
    let shown = line.count > 80 ? line.prefix(77) + "…" : line[...]
    if let special = line.firstMatch(of: /:\s*(NaN|-?Infinity)/) {
      throw StudyError.evaluation(
        reason: "the command printed \(special.output.1), not a finite number: \(shown)")
    }
    do {
      return try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
    } catch {
      throw StudyError.evaluation(
        reason: "the command's last line is no JSON object of numbers such as {\"error\": 7.5}:"
          + " \(shown)")
    }
  }
}
