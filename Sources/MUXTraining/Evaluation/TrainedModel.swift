// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks
public import MUXTensor
public import MUXVision

/// A network with trained weights and what is needed to use it: its classes and its transform.
public struct TrainedModel {
  /// The network and its weights, set for inference.
  public let model: NetworkModel
  /// The classes, in the order of the outputs; "0", "1" … where the file names none.
  public let classNames: [String]
  /// What is done to an image before it goes in.
  public let pipeline: ImagePipeline
  /// What the file says about its training; nil for files of other origin.
  public let metadata: WeightsMetadata?
  /// How file and network fit together.
  public let report: LoadReport

  /// Loads a weights file of a run, or the best weights of a run's folder; for files of other
  /// origin the network has to be given.
  ///
  /// - Parameters:
  ///   - path: The file or the folder.
  ///   - network: The network; nil takes that of the file.
  ///   - classNames: The classes; nil takes those of the file.
  ///   - device: Where to run it.
  ///   - prefersAveraged: Whether a PyTorch checkpoint with averaged weights gives those.
  ///   - tolerance: What may differ between the file and the network.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  public init(
    path: String, network: Network? = nil, classNames: [String]? = nil, device: Device = .cpu,
    prefersAveraged: Bool = true, tolerance: LoadTolerance = .exact, key: String? = nil
  ) throws {
    let archive = try WeightsSource.read(path, prefersAveraged: prefersAveraged, key: key)
    let metadata = try WeightsMetadata(archive.metadata, path: path)
    guard let network = network ?? metadata?.network else {
      throw CheckpointError.mismatch(
        path: path, reason: "it does not say which network it is for; name it with --model")
    }
    model = try NetworkModel(network, seed: 0, device: device)
    report = try model.load(archive, from: path, allowing: tolerance)
    let outputs = network.classCount ?? 0
    let names = classNames ?? metadata?.classNames ?? (0..<outputs).map(String.init)
    guard names.count == outputs else {
      throw TrainingError.classCount(
        network: network.name, outputs: outputs, classes: names.count)
    }
    self.classNames = names
    self.metadata = metadata
    if let pipeline = metadata?.pipeline {
      self.pipeline = pipeline
    } else {
      // The usual evaluation of ImageNet networks, which public weights are made for.
      var pipeline = ImagePipeline.imageNetEvaluation(size: network.inputSize.height)
      if network.inputChannels == 1 {
        pipeline.channels = 1
        pipeline.mean = [0.449]
        pipeline.standardDeviation = [0.226]
      }
      self.pipeline = pipeline
    }
  }

  /// Evaluates the model on some images with its own transform.
  public func evaluate(
    on dataSet: any ImageDataSet, batchSize: Int = 128, workers: Int = 2,
    precision: TrainingConfiguration.Precision = .float32,
    progress: @escaping (Int, Int) throws -> Void = { _, _ in }
  ) throws -> EvaluationResult {
    let loader = try DataLoader(
      dataSet, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: max(1, min(batchSize, dataSet.count)), workers: workers,
        layout: .channelsLast))
    var evaluator = Evaluator()
    evaluator.precision = precision
    evaluator.progress = progress
    return try evaluator.evaluate(model, on: loader)
  }
}
