// SPDX-License-Identifier: Apache-2.0
import MUXSearch

/// Looks networks up in the study's table.
public struct TableEvaluator: TrialEvaluator {
  private let table: any BenchmarkTable

  /// Reads the table.
  ///
  /// - Throws: `SearchError`, or ``StudyError/evaluation(reason:)`` for a study without one.
  public init(_ definition: StudyDefinition) throws {
    guard case .table(let name, let path) = definition.space else {
      throw StudyError.evaluation(reason: "the study's space is not a table")
    }
    table = try StudyDefinition.table(name, path: path)
  }

  /// The row of the network.
  public func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    guard let row = table.evaluate(request.trial.genome) else {
      throw StudyError.evaluation(reason: "the table has no such network")
    }
    return Dictionary(
      zip(table.objectives.map(\.name), row).filter { name, _ in
        request.problem.objectives.contains { $0.name == name }
      }, uniquingKeysWith: { first, _ in first })
  }
}
