// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What can be wrong with a search, its targets or what it is told.
public enum SearchError: Error, Sendable, Hashable {
  /// A space without genes, or a gene without choices.
  case emptySpace(gene: String?)
  /// A search for nothing.
  case noObjectives
  /// A scale that cannot divide.
  case invalidScale(objective: String, scale: Double)
  /// A target with the wrong objectives or values.
  case invalidTarget(target: String, reason: String)
  /// A setting outside its range.
  case invalidSetting(name: String, reason: String)
  /// A result for a candidate that was not asked for, or was told before.
  case unknownCandidate(id: Int)
  /// A result with too few or too many objectives.
  case wrongObjectiveCount(id: Int, expected: Int, actual: Int)
  /// A result that is not a number or infinite; tell it as failed instead.
  case notFinite(id: Int, objective: String, value: String)
  /// A saved state that is not one of this algorithm.
  case state(algorithm: String, reason: String)
  /// A search space file that cannot be used.
  case space(path: String, reason: String)
  /// A network that is not a point of the space.
  case notInSpace(network: String, reason: String)
  /// A table or record file that cannot be read.
  case table(path: String, reason: String)
}

extension SearchError: DescribedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .emptySpace(let gene):
      gene.map { "the search space is empty: gene '\($0)' has no choices" }
        ?? "the search space is empty: it has no genes"
    case .noObjectives: "a search needs at least one objective"
    case .invalidScale(let objective, let scale):
      "the scale of objective '\(objective)' must be above 0 and finite, not \(scale)"
    case .invalidTarget(let target, let reason): "target '\(target)': \(reason)"
    case .invalidSetting(let name, let reason): "search setting '\(name)': \(reason)"
    case .unknownCandidate(let id):
      "candidate \(id) is not waiting for a result: it was never asked for, or already has one"
    case .wrongObjectiveCount(let id, let expected, let actual):
      "the result of candidate \(id) has \(actual) objectives; the search has \(expected)"
    case .notFinite(let id, let objective, let value):
      "the result of candidate \(id) has \(value) for '\(objective)'; tell it as failed"
    case .state(let algorithm, let reason): "the saved state of '\(algorithm)' \(reason)"
    case .space(let path, let reason): "search space \(path): \(reason)"
    case .notInSpace(let network, let reason):
      "network '\(network)' is not in the search space: \(reason)"
    case .table(let path, let reason): "\(path): \(reason)"
    }
  }
}
