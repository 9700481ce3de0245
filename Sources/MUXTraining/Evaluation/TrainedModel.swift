// SPDX-License-Identifier: Apache-2.0
public import MUXEvaluation
public import MUXImages
public import MUXNetworks
public import MUXTensor
public import MUXWeights

/// Trained weights in a model of libtorch, set for inference.
public struct TrainedModel {
  /// The network with the weights loaded.
  public let model: NetworkModel
  /// The weights as they were read: classes, transform, metadata.
  public let weights: TrainedWeights
  /// How file and network fit together.
  public let report: LoadReport

  /// The classes, in the order of the outputs.
  public var classNames: [String] { weights.classNames }
  /// What the file says about its training; nil for files of other origin.
  public var metadata: WeightsMetadata? { weights.metadata }

  /// Puts weights into a model.
  ///
  /// - Parameters:
  ///   - weights: The weights.
  ///   - device: Where to run them.
  ///   - tolerance: What may differ between the file and the network.
  /// - Throws: `WeightsMismatchError` where more differs than is allowed.
  public init(
    _ weights: TrainedWeights, device: Device = .cpu, tolerance: LoadTolerance = .exact
  ) throws {
    if weights.packed != nil { throw EvaluationError.packed(path: weights.path) }
    self.weights = weights
    model = try NetworkModel(weights.network, seed: 0, device: device)
    report = try model.load(weights.archive, from: weights.path, allowing: tolerance)
  }

  /// Loads a weights file of a run, or the best weights of a run's folder (`TrainedWeights`).
  public init(path: String, network: Network? = nil, device: Device = .cpu) throws {
    try self.init(TrainedWeights(path: path, network: network), device: device)
  }

  /// Says about images what the network is for.
  public var predictor: Predictor {
    get throws { try Predictor(weights, model: TorchModel(model)) }
  }

  /// Evaluates the model on some images with its own transform.
  public func evaluate(
    on dataSet: any ImageDataSet, batchSize: Int = 128, workers: Int = 2
  ) throws -> EvaluationResult {
    try Evaluator().evaluate(
      TorchModel(model), task: weights.task.task, pipeline: weights.pipeline, on: dataSet,
      batchSize: batchSize,
      workers: workers)
  }
}
