// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXVision

/// The loaders of a run.
struct TrainingData {
  let training: DataLoader
  let validation: DataLoader
  let classNames: [String]
  /// Side of the network's input in pixels.
  let inputSize: Int
  /// What is done to an image at evaluation; saved with the weights.
  let evaluationPipeline: ImagePipeline
  /// What the loaders read.
  let record: DataRecord
  /// What there is to say of the data, a line each: ``warnings``, and how they were divided.
  let remarks: [String]
  /// What is odd about the data, and what was left out.
  let warnings: [String]

  /// Refuses images or batches that no memory holds.
  private static func checkSize(
    _ configuration: TrainingConfiguration, inputSize: Int, channels: Int
  ) throws(ConfigurationError) {
    let crop = configuration.augmentation.evaluationCrop
    try ConfigurationError.require(
      Double(inputSize) / crop <= 16_384, "augmentation.evaluationCrop", crop,
      "images would be resized to \(Int(Double(inputSize) / crop)) pixels, at most 16384 are"
        + " possible")
    let values = Double(inputSize) * Double(inputSize) * Double(channels)
    try ConfigurationError.require(
      values * Double(configuration.batchSize) <= 0x1p33, "batchSize", configuration.batchSize,
      "a batch of images of \(inputSize)×\(inputSize) may have at most"
        + " \(Int(0x1p33 / values)) of them")
  }

  /// Opens the data of a configuration for a network's input.
  init(
    _ configuration: TrainingConfiguration, training: any ImageDataSet,
    validation: any ImageDataSet, inputSize: Int, channels: Int, shares: SampleShares? = nil,
    share: LoaderShare? = nil
  ) throws {
    try Self.checkSize(configuration, inputSize: inputSize, channels: channels)
    let data = configuration.data
    let augmentation = configuration.augmentation
    let normalization = try data.normalization(channels: channels)
    var evaluationPipeline = augmentation.evaluationPipeline(
      size: inputSize, normalization: normalization)
    evaluationPipeline.orientation = data.orientation
    self.evaluationPipeline = evaluationPipeline
    var trainingPipeline = augmentation.trainingPipeline(
      size: inputSize, nativeSize: data.nativeSize, normalization: normalization)
    trainingPipeline.orientation = data.orientation
    var training = training
    var validation = validation
    var validationPipeline = evaluationPipeline
    if data.cache {
      let limit = data.cacheMebibytes << 20
      let kept = try CachedDataSet(
        training, memoryLimit: limit, preparation: trainingPipeline.preparation.fixed,
        threads: data.workers)
      trainingPipeline = trainingPipeline.preparation.rest
      training = kept
      validation = try CachedDataSet(
        validation, memoryLimit: limit - kept.cachedBytes,
        preparation: validationPipeline.preparation.fixed, threads: data.workers)
      validationPipeline = validationPipeline.preparation.rest
    }
    self.training = try DataLoader(
      training, pipeline: trainingPipeline,
      settings: LoaderSettings(
        batchSize: configuration.batchSize, shuffles: true, seed: configuration.seed,
        dropsLast: true, workers: data.workers, prefetch: data.prefetch, layout: .channelsLast),
      shares: shares, share: share)
    self.validation = try DataLoader(
      validation, pipeline: validationPipeline,
      settings: LoaderSettings(
        batchSize: min(data.evaluationBatchSize ?? configuration.batchSize, validation.count),
        workers: data.workers, prefetch: data.prefetch, layout: .channelsLast))
    classNames = training.classNames
    self.inputSize = inputSize
    record = DataRecord(training: training, validation: validation)
    var (remarks, warnings): ([String], [String]) = ([], [])
    func note(_ part: String, _ set: any ImageDataSet, leftOut: LeftOut) {
      let odd = (set.warnings.map(\.description) + leftOut.descriptions)
        .map { "\(part) data: \($0)" }
      remarks += (set.division.map { ["\(part) data: \($0)"] } ?? []) + odd
      warnings += odd
    }
    note("training", training, leftOut: training.leftOut)
    // Parts of one folder leave out the same; once is enough.
    note(
      "validation", validation,
      leftOut: validation.leftOut == training.leftOut ? LeftOut() : validation.leftOut)
    self.remarks = remarks
    self.warnings = warnings
  }
}
