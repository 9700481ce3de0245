// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
public import MUXVision

extension LoaderBenchmark {
  /// Times the loader of a run's training images alone: decoding, augmentation, batches, without a
  /// network's steps. A run waits for data where this is below its own images a second.
  ///
  /// - Parameters:
  ///   - configuration: The settings of the run.
  ///   - atLeastSeconds: How long to go on.
  /// - Throws: Errors of the data and the settings.
  public init(training configuration: TrainingConfiguration, atLeastSeconds: Double = 5) throws {
    var configuration = configuration
    let training = try configuration.data.open(.training)
    _ = configuration.fit(images: training.count)
    let validation = try configuration.data.open(.validation, classNames: training.classNames)
    let network = try configuration.resolveNetwork(for: training)
    let data = try TrainingData(
      configuration, training: training, validation: validation,
      inputSize: configuration.model.inputSize ?? network.inputSize.height,
      channels: network.inputChannels)
    try self.init(data.training, atLeastSeconds: atLeastSeconds)
  }
}
