// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
package import MUXNetworks
package import MUXSearch
package import MUXStudies
import MUXTasks
import MUXTensor
import MUXTraining
import MUXWeights

/// Judges a candidate by its part of a super-network's weights, in seconds: its batch norms measure their
/// statistics on training images, then its error on the validation images counts.
package struct SupernetEvaluator: TrialEvaluator {
  private let supernet: Supernet
  private let scorer: CandidateScorer

  /// An evaluator with the super-network of a run.
  ///
  /// - Parameters:
  ///   - path: The run's folder.
  ///   - digest: The hash of the tensors with which the study was made; nil takes any.
  ///   - space: The space of the study; nil takes that of the super-network.
  ///   - statisticsImages: Images for the statistics; nil takes as many as in training.
  /// - Throws: ``SupernetError``, or an error of the data.
  package init(
    run path: String, digest: String? = nil, space: NetworkSpace? = nil,
    statisticsImages: Int? = nil
  ) throws {
    supernet = try Supernet(run: path)
    if let digest, digest != supernet.digest { throw SupernetError.changed(path: path) }
    if let space { try supernet.require(space) }
    let configuration = supernet.configuration
    try TrainingEvaluator.requireValidation(configuration)
    scorer = try CandidateScorer(
      configuration, network: supernet.sharing.network(try supernet.sharing.ends().smallest),
      statisticsImages: statisticsImages ?? configuration.supernet.statisticsImages)
  }

  /// The `error` and the metrics of the task by name.
  package func evaluate(
    _ request: EvaluationRequest, _ context: EvaluationContext
  ) throws -> [String: Double] {
    let start = ContinuousClock.now
    let values = try values(of: request.trial.genome)
    context.note("seconds", NumberText.fixed(Seconds.since(start), decimals: 2))
    return values
  }

  /// The same for any genome.
  ///
  /// - Parameters:
  ///   - genome: The choices.
  ///   - measures: Whether statistics are measured anew; else those count that all networks share.
  package func values(of genome: Genome, measuring measures: Bool = true) throws -> [String: Double]
  {
    try supernet.requireUnchanged()
    let (network, weights) = try supernet.extract(genome)
    let model = try model(network, weights)
    if measures { try scorer.measureStatistics(of: model) }
    let scores = try scorer.scores(of: model)
    TorchRuntime.releaseFusedMemory()
    // What was replaced meanwhile may have been read in part.
    try supernet.requireUnchanged()
    return TrainingEvaluator.objectives(scores, supernet.configuration)
  }

  /// A network of the space as a weights file of its own, its statistics measured anew.
  ///
  /// - Parameters:
  ///   - genome: The choices.
  ///   - file: Where it is written, as safetensors.
  ///   - name: The network's name.
  /// - Returns: The network.
  @discardableResult
  package func write(_ genome: Genome, to file: String, name: String? = nil) throws -> Network {
    try supernet.requireUnchanged()
    let (network, weights) = try supernet.extract(genome, name: name)
    let model = try model(network, weights)
    try scorer.measureStatistics(of: model)
    let archive = try model.archive(metadata: try supernet.metadata(of: network))
    try supernet.requireUnchanged()
    try Safetensors.write(archive, to: file)
    return network
  }

  private func model(_ network: Network, _ weights: TensorArchive) throws -> NetworkModel {
    var tensors: [Tensor] = []
    for parameter in network.parameters {
      guard let archived = weights[parameter.name] else {
        throw SupernetError.missing(path: supernet.path, tensor: parameter.name)
      }
      let tensor = try Tensor.copy(of: archived)
      tensors.append(tensor.rank == 4 ? try tensor.contiguous(.channelsLast) : tensor)
    }
    return try NetworkModel(network, tensors: tensors, generator: TorchGenerator(seed: 0))
  }
}
