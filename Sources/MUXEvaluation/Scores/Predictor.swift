// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXTasks
import MUXVision

/// Says about images what their network is for.
public struct Predictor {
  /// What computes.
  public let model: any VisionModel
  /// What is done to an image before it goes in.
  public let pipeline: ImagePipeline
  /// What makes sense of the outputs.
  public let head: any TaskHead

  /// A predictor from its parts.
  public init(_ model: any VisionModel, pipeline: ImagePipeline, head: any TaskHead) {
    self.model = model
    self.pipeline = pipeline
    self.head = head.forImages(preparedBy: pipeline)
  }

  /// A predictor of trained weights.
  ///
  /// - Throws: `TaskError` where the network does not fit the task of the weights.
  /// - Parameters:
  ///   - weights: The weights: how images are prepared, and what outputs mean.
  ///   - model: What computes with them.
  ///   - augmentation: The views of each image that are averaged.
  public init(
    _ weights: TrainedWeights, model: any VisionModel, augmentation: TestAugmentation = .none
  ) throws {
    let head = try weights.head()
    let views = try AugmentedModel(
      model, augmentation, head: head, pipeline: weights.pipeline)
    self.init(
      augmentation == .none ? model : views, pipeline: views.pipeline, head: head)
  }

  /// What is said about an image: a `Prediction` by a classifier, a `LabelSet` where there are several
  /// labels.
  public func predict(
    _ image: Image, settings: DecodingSettings = DecodingSettings()
  ) throws -> any TaskOutput {
    try predict([image], settings: settings)[0]
  }

  /// What is said about several images, run as one batch.
  public func predict(
    _ images: [Image], settings: DecodingSettings = DecodingSettings()
  ) throws -> [any TaskOutput] {
    try predict(
      prepared: images.map { try prepared($0) }, original: images.map(\.size), names: [],
      settings: settings)
  }

  /// An image as the network takes it.
  func prepared(_ image: Image) throws(ImageError) -> (size: ImageSize, values: [Float]) {
    // Nothing in the pipeline of an evaluation is random; it still asks for a stream.
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    return try pipeline.values(of: image, random: &random)
  }

  /// What is said about several prepared images, run as one batch; their names are for messages.
  func predict(
    prepared images: [(size: ImageSize, values: [Float])], original: [ImageSize], names: [String],
    settings: DecodingSettings
  ) throws -> [any TaskOutput] {
    guard let size = images.first?.size else { return [] }
    var values: [Float] = []
    for image in images {
      guard image.size == size else {
        throw LoaderError.unequalSizes(
          name: "an image", size: image.size, otherName: "the first", otherSize: size)
      }
      values += image.values
    }
    let outputs = try model.finiteOutputs(
      PixelBatch(
        count: images.count, channels: pipeline.channels, height: size.height, width: size.width,
        values: values)
    ) { $0 < names.count ? names[$0] : "image \($0 + 1)" }
    return try head.decode(outputs, original: original, settings: settings)
  }
}
