// SPDX-License-Identifier: Apache-2.0
public import MUXImages
import MUXVision

/// Names the most likely classes of images.
public struct Predictor {
  /// What computes.
  public let classifier: any Classifier
  /// What is done to an image before it goes in.
  public let pipeline: ImagePipeline
  /// The classes, in the order of the outputs.
  public let classNames: [String]

  /// A predictor from its parts.
  public init(_ classifier: any Classifier, pipeline: ImagePipeline, classNames: [String]) {
    self.classifier = classifier
    self.pipeline = pipeline
    self.classNames = classNames
  }

  /// A predictor of trained weights.
  public init(_ weights: TrainedWeights, classifier: any Classifier) {
    self.init(classifier, pipeline: weights.pipeline, classNames: weights.classNames)
  }

  /// The `count` most likely classes of an image, most likely first.
  public func predict(_ image: Image, top count: Int = 5) throws -> Prediction {
    try predict([image], top: count)[0]
  }

  /// The most likely classes of several images, run as one batch.
  public func predict(_ images: [Image], top count: Int = 5) throws -> [Prediction] {
    try predict(prepared: images.map { try prepared($0) }, names: [], top: count)
  }

  /// An image as the network takes it.
  func prepared(_ image: Image) throws(ImageError) -> (size: PixelSize, values: [Float]) {
    // Nothing in the pipeline of an evaluation is random; it still asks for a stream.
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    return try pipeline.values(of: image, random: &random)
  }

  /// The most likely classes of several prepared images, run as one batch; their names are for messages.
  func predict(
    prepared images: [(size: PixelSize, values: [Float])], names: [String], top count: Int
  ) throws -> [Prediction] {
    guard let size = images.first?.size else { return [] }
    var values: [Float] = []
    for image in images {
      guard image.size == size else {
        throw LoaderError.unequalSizes(
          name: "an image", size: image.size, otherName: "the first", otherSize: size)
      }
      values += image.values
    }
    let shares = try classifier.probabilities(
      Batch(
        channels: pipeline.channels, height: size.height, width: size.width, values: values,
        labels: Array(repeating: 0, count: images.count),
        sampleIndices: Array(images.indices))
    ) { $0 < names.count ? names[$0] : "image \($0 + 1)" }
    let classes = classNames.count
    guard shares.count == images.count * classes else {
      throw EvaluationError.classCount(
        network: classifier.network.name, outputs: shares.count / images.count, classes: classes)
    }
    return images.indices.map { index in
      let own = Array(shares[(index * classes)..<((index + 1) * classes)])
      return Prediction(
        guesses: ClassificationMetrics.best(min(count, classes), of: own).map {
          Prediction.Guess(
            label: classNames[$0.index], index: $0.index, probability: Double($0.score))
        })
    }
  }
}

/// The most likely classes of one image.
public struct Prediction: Codable, Hashable, Sendable {
  /// One class.
  public struct Guess: Codable, Hashable, Sendable {
    /// The class's name.
    public var label: String
    /// Its place among the outputs.
    public var index: Int
    /// The softmax of its output, 0…1.
    public var probability: Double
  }

  /// The classes, most likely first.
  public var guesses: [Guess]
}
