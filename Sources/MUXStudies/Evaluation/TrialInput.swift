// SPDX-License-Identifier: Apache-2.0
package import Foundation
import MUXCore
import MUXNetworkFiles
import MUXSearch

/// What a program that evaluates a trial is given: on its standard input, or by who asked for the trial.
package struct TrialInput: Encodable, Sendable {
  private var study: String
  private var trial: Int
  private var attempt: Int
  private var seed: UInt64
  private var genome: Genome
  private var genes: [String: Int]
  private var choices: [String: ChoiceValue]?
  private var known: [String: Double]
  private var architecture: String?
  private var network: String?
  private var settings: [String]?

  /// The input for a request.
  ///
  /// - Throws: an error of the network.
  package init(_ request: EvaluationRequest) throws {
    let genes = request.problem.domain.genes
    known = request.knownValues
    if let domain = request.problem.domain as? NetworkDomain,
      let costs = domain.costs(of: request.trial.genome)
    {
      // Also where they are no objectives.
      known[Metric.parameters.name] = Double(costs.parameters)
      known[Metric.multiplyAdds.name] = Double(costs.multiplyAdds)
    }
    study = request.study.name
    trial = request.trial.number
    attempt = request.trial.attempt
    seed = request.study.definition.seed
    genome = request.trial.genome
    self.genes = Dictionary(
      zip(genes.map(\.name), request.trial.genome.values), uniquingKeysWith: { $1 })
    choices = try request.study.definition.choices(of: request.trial.genome)
    architecture = try request.architecture().map { try NetworkFile.yaml($0) }
    if let point = request.point {
      // The list's, which differs from trial to trial.
      (network, settings, seed) = (point.network.name, point.network.settings, point.seed)
    }
  }

  /// The input as one line of JSON.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
