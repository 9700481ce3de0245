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
/// `{"error": 7.5}`; any other line is progress and ignored. An exit code other than 0 is a failure,
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
  public static let storageVariables = ["MUXNET_STORAGE", "PGPASSWORD", "PGPASSFILE"]
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
      input: .unnamed(UnnamedFile(try input(request))), output: .unnamed(output),
      errors: .unnamed(errors))
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
    return try Self.values(output.lastLine())
  }

  private func input(_ request: EvaluationRequest) throws -> Data {
    let genes = request.problem.domain.genes
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var known = request.knownValues
    if let domain = request.problem.domain as? NetworkDomain,
      let costs = domain.costs(of: request.trial.genome)
    {
      // Also where they are no objectives.
      known[Metric.parameters.name] = Double(costs.parameters)
      known[Metric.multiplyAdds.name] = Double(costs.multiplyAdds)
    }
    return try encoder.encode(
      Input(
        study: request.study.name, trial: request.trial.number, attempt: request.trial.attempt,
        seed: request.study.definition.seed, genome: request.trial.genome,
        genes: Dictionary(
          zip(genes.map(\.name), request.trial.genome.values), uniquingKeysWith: { $1 }),
        known: known,
        architecture: try request.architecture().map { try NetworkFile.yaml($0) }))
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
