// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
package import MUXNetworks
package import MUXTasks
import MUXTensor
import MUXVision

/// Scores networks that are not trained any more on the validation images of some settings, each after its
/// batch norms have measured their statistics on training images.
package struct CandidateScorer: Sendable {
  private let configuration: TrainingConfiguration
  private let task: any VisionTask
  private let validation: DataLoader
  /// Training images as they are at evaluation.
  private let batches: [PixelBatch]

  /// Images of a batch by which statistics are measured, as Once-for-All has it.
  private static let statisticsBatch = 200

  /// Opens the data and prepares the images for statistics.
  ///
  /// - Parameters:
  ///   - configuration: The settings of a training.
  ///   - network: Any of the networks: all have its input.
  ///   - statisticsImages: The images for statistics; fewer where there are fewer.
  /// - Throws: An error of the data; `ConfigurationError` where there are no images to measure.
  package init(
    _ configuration: TrainingConfiguration, network: Network, statisticsImages: Int
  ) throws {
    TorchRuntime.keepFreedMemory()
    try TorchRuntime.setThreads(
      configuration.threads > 0
        ? configuration.threads : ProcessInfo.processInfo.activeProcessorCount)
    let settings = configuration.data
    let training = try settings.open(.training)
    var validation = try settings.open(.validation, classNames: training.classNames)
    try ConfigurationError.require(
      statisticsImages > 0 && training.count > 0, "supernet.statisticsImages",
      min(statisticsImages, training.count),
      "at least one training image is needed to measure the statistics of batch norms")
    try ConfigurationError.require(
      validation.count > 0, "data.validationFraction", settings.validationFraction,
      "no images are left to validate on; hold some out, such as 0.1")
    task = configuration.task.task.suited(to: training)
    let size = configuration.model.inputSize ?? network.inputSize.height
    var pipeline = configuration.augmentation.evaluationPipeline(
      size: size, normalization: try settings.normalization(channels: network.inputChannels))
    pipeline.orientation = settings.orientation
    batches = try Self.batches(
      of: training, pipeline, count: statisticsImages, seed: configuration.seed,
      workers: settings.workers)
    if settings.cache {
      validation = try CachedDataSet(
        validation, memoryLimit: settings.cacheMebibytes << 20,
        preparation: pipeline.preparation.fixed, threads: settings.workers)
      pipeline = pipeline.preparation.rest
    }
    self.validation = try DataLoader(
      validation, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: min(settings.evaluationBatchSize ?? configuration.batchSize, validation.count),
        workers: settings.workers, prefetch: settings.prefetch, layout: .channelsLast))
    self.configuration = configuration
  }

  private static func batches(
    of training: any ImageDataSet, _ pipeline: ImagePipeline, count: Int, seed: UInt64, workers: Int
  ) throws -> [PixelBatch] {
    let wanted = min(count, training.count)
    let loader = try DataLoader(
      training, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: min(statisticsBatch, wanted), shuffles: true, seed: seed, workers: workers,
        layout: .channelsLast))
    let stream = try loader.epoch(0)
    defer { stream.cancel() }
    var batches: [PixelBatch] = []
    var images = 0
    while images < wanted, let batch = try stream.next() {
      batches.append(batch.pixels)
      images += batch.count
    }
    return batches
  }

  /// Measures the statistics of a network's batch norms anew.
  package func measureStatistics(of model: NetworkModel) throws {
    try model.remeasureStatistics(over: batches.map { try model.images(of: $0) })
  }

  /// The scores of a network on the validation images.
  package func scores(of model: NetworkModel) throws -> Scores {
    try Evaluator().evaluate(
      TorchModel(model, precision: configuration.precision), task: task, on: validation
    ).scores
  }
}
