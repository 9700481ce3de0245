// SPDX-License-Identifier: Apache-2.0
import MUXTensor
public import MUXVision

/// Names the most likely classes of images.
public struct Predictor {
  /// What is run.
  public let trained: TrainedModel

  /// A predictor of a trained model.
  public init(_ trained: TrainedModel) {
    self.trained = trained
  }

  /// The `count` most likely classes of an image, most likely first.
  public func predict(_ image: Image, top count: Int = 5) throws -> Prediction {
    try predict([image], top: count)[0]
  }

  /// The most likely classes of several images, run as one batch.
  public func predict(_ images: [Image], top count: Int = 5) throws -> [Prediction] {
    guard !images.isEmpty else { return [] }
    var values: [Float] = []
    var size = PixelSize(1)
    for image in images {
      // Nothing in the pipeline of an evaluation is random; it still asks for a stream.
      var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
      let (own, numbers) = try trained.pipeline.values(of: image, random: &random)
      if !values.isEmpty, own != size {
        throw LoaderError.unequalSizes(
          name: "an image", size: own, otherName: "the first", otherSize: size)
      }
      size = own
      values += numbers
    }
    let shape = [images.count, trained.pipeline.channels, size.height, size.width]
    return try withoutGradient {
      let model = trained.model
      let input = try Tensor(values, shape: shape).to(model.dtype).to(model.device)
      let shares = try model.forward(input).softmax(1).floats()
      let classes = trained.classNames
      return images.indices.map { index in
        let own = Array(shares[(index * classes.count)..<((index + 1) * classes.count)])
        return Prediction(
          guesses: ClassificationMetrics.best(min(count, classes.count), of: own).map {
            Prediction.Guess(
              label: classes[$0.index], index: $0.index, probability: Double($0.score))
          })
      }
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
