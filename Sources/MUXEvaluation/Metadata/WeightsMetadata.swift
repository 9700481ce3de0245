// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXImages
public import MUXNetworks
public import MUXTasks
import MUXWeights

/// What a weights file of a run says about itself beside the tensors, so that the file alone is
/// enough to evaluate and predict.
public struct WeightsMetadata: Codable, Hashable, Sendable {
  /// The network that the weights are for.
  public var network: Network
  /// What the network is for; nil means classification, which files do not name.
  public var task: NamedTask?
  /// The classes, in the order of the outputs.
  public var classNames: [String]
  /// What is done to an image before it goes in.
  public var pipeline: ImagePipeline
  /// Whether the weights are the moving average of those that were trained.
  public var isAveraged: Bool
  /// Epochs done.
  public var epoch: Int
  /// Optimizer steps done.
  public var step: Int
  /// The scores on the validation images, if they were evaluated then.
  public var scores: Scores?

  private static let key = "muxnet"

  /// The metadata as a safetensors file has it: JSON under the key `muxnet`. (`format` = `pt` is
  /// what PyTorch programs expect to find.)
  public func dictionary() throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var writable = self
    // JSON cannot say such numbers. (Earlier versions wrote them as texts, which are still read.)
    if let scores, scores.entries.contains(where: { $0.value?.isFinite == false }) {
      writable.scores = nil
    }
    let text = String(decoding: try encoder.encode(writable), as: UTF8.self)
    return ["format": "pt", Self.key: text].merging(WeightsFormat.entry) { $1 }
  }

  /// Reads the metadata of a file; nil where the file has none of this package.
  ///
  /// - Throws: ``CheckpointError`` where it has some that cannot be read.
  public init?(_ dictionary: [String: String], path: String) throws {
    guard let text = dictionary[Self.key] else { return nil }
    if let reason = WeightsFormat.reasonToRefuse(dictionary) {
      throw CheckpointError.unreadable(path: path, reason: reason)
    }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      self = try decoder.decode(WeightsMetadata.self, from: Data(text.utf8))
    } catch {
      throw CheckpointError.damaged(
        path: path, reason: "its metadata cannot be read (\(Self.reason(error)))")
    }
  }

  /// What is wrong with metadata and where, in one line. (Foundation's text says neither.)
  static func reason(_ error: any Error) -> String {
    (error as? DecodingError)?.reason ?? "\(error)"
  }
}

extension WeightsMetadata {
  /// Reads metadata; settings that later versions added, or that a file leaves out, have defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    network = try container.decode(Network.self, forKey: .network)
    pipeline = try container.decode(ImagePipeline.self, forKey: .pipeline)
    classNames =
      try container.decodeIfPresent([String].self, forKey: .classNames)
      ?? (0..<(network.classCount ?? 0)).map(String.init)
    task = try container.decodeIfPresent(NamedTask.self, forKey: .task)
    isAveraged = try container.decodeIfPresent(Bool.self, forKey: .isAveraged) ?? false
    epoch = try container.decodeIfPresent(Int.self, forKey: .epoch) ?? 0
    step = try container.decodeIfPresent(Int.self, forKey: .step) ?? 0
    scores = try container.decodeIfPresent(Scores.self, forKey: .scores)
  }

  /// Metadata from its parts.
  public init(
    network: Network, task: NamedTask? = nil, classNames: [String], pipeline: ImagePipeline,
    isAveraged: Bool, epoch: Int, step: Int, scores: Scores?
  ) {
    self.network = network
    self.task = task == NamedTask() ? nil : task
    self.classNames = classNames
    self.pipeline = pipeline
    self.isAveraged = isAveraged
    self.epoch = epoch
    self.step = step
    self.scores = scores
  }
}
