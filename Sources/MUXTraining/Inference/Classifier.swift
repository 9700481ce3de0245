// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXInterchange
public import MUXNetworks
public import MUXTensor
public import MUXVision

/// One guess of a classifier.
public struct Prediction: Codable, Hashable, Sendable {
  /// The class.
  public var className: String
  /// The index of the class.
  public var index: Int
  /// The probability that the network gives it, 0…1.
  public var probability: Double
}

/// A network with weights, class names and image preparation: everything to classify images.
public final class Classifier {
  /// The network with its weights.
  public let model: NetworkModel
  /// The classes in the order of the outputs.
  public let classNames: [String]
  /// What is done to an image before it goes into the network.
  public let pipeline: ImagePipeline

  /// Loads weights.
  ///
  /// - Parameters:
  ///   - path: Weights of any format that `WeightsFile` reads, or the folder of a run.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  ///   - network: The network, for weights that do not know it; it also stands before theirs.
  ///   - classNames: Names of the classes; nil takes those of the weights, or numbers.
  ///   - device: Where to run it.
  public init(
    weights path: String, key: String? = nil, network: Network? = nil,
    classNames: [String]? = nil, device: Device = .cpu
  ) throws {
    let archive =
      try key == nil ? WeightsSource.read(path) : WeightsFile.load(path, key: key).archive
    let stored = try WeightsMetadata(archive.metadata, path: path)
    guard let network = network ?? stored?.network else {
      throw ClassifierError.unknownNetwork(path: path)
    }
    let outputs = network.classCount ?? 0
    let known = stored?.classNames.count == outputs ? stored?.classNames : nil
    let names = classNames ?? known ?? (0..<outputs).map(String.init)
    guard names.count == outputs else {
      throw ClassifierError.classCount(path: path, names: names.count, outputs: outputs)
    }
    self.classNames = names
    pipeline = stored?.pipeline ?? Self.standardPipeline(for: network)
    model = try NetworkModel(network, seed: 0, device: device)
    try model.load(archive, from: path)
    model.isTraining = false
  }

  /// The likeliest classes of each image, best first.
  public func classify(_ images: [Image], top count: Int = 5) throws -> [[Prediction]] {
    guard !images.isEmpty else { return [] }
    var values: [Float] = []
    var shape: [Int] = []
    for image in images {
      // Evaluation has no random steps; the stream is there for the signature's sake.
      var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
      let ready = try pipeline.values(of: image, random: &random)
      shape = [images.count, pipeline.channels, ready.size.height, ready.size.width]
      values += ready.values
    }
    let probabilities = try withoutGradient {
      let input = try Tensor(values, shape: shape).to(model.device)
      return try model.forward(input).softmax(1).floats()
    }
    let classes = classNames.count
    return images.indices.map { index in
      let scores = Array(probabilities[index * classes..<(index + 1) * classes])
      return ClassificationMetrics.best(min(count, classes), of: scores).map {
        Prediction(
          className: classNames[$0.index], index: $0.index, probability: Double($0.score))
      }
    }
  }

  /// What ImageNet's networks expect: resize, middle crop, ImageNet's mean and deviation.
  private static func standardPipeline(for network: Network) -> ImagePipeline {
    let size = network.inputSize
    var pipeline = ImagePipeline.imageNetEvaluation(size: size.height)
    if size.width != size.height {
      let target = PixelSize(width: size.width, height: size.height)
      pipeline.transforms = [.resize(Resize(size: target, interpolation: .bicubic))]
    }
    let channels = network.inputChannels
    guard channels != pipeline.channels else { return pipeline }
    func spread(_ values: [Float]) -> [Float] {
      [Float](repeating: values.reduce(0, +) / Float(values.count), count: channels)
    }
    return ImagePipeline(
      transforms: pipeline.transforms, channels: channels, mean: spread(pipeline.mean),
      standardDeviation: spread(pipeline.standardDeviation))
  }
}

/// Why weights do not make a classifier.
public enum ClassifierError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  /// There are more or fewer class names than outputs.
  case classCount(path: String, names: Int, outputs: Int)
  /// The file holds weights alone, and no network was named.
  case unknownNetwork(path: String)

  /// What is wrong and how to fix it, in one line.
  public var description: String {
    switch self {
    case .classCount(let path, let names, let outputs):
      "\(path): \(names) class names for \(outputs) outputs; give one name per output"
    case .unknownNetwork(let path):
      "\(path) holds weights alone; name their network with --model (see muxnet models)"
    }
  }

  /// The same line, for Foundation.
  public var errorDescription: String? { description }
}
