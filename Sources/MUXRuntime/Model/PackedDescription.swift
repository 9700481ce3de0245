// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import MUXCore
internal import MUXImages
internal import MUXNetworks
internal import MUXTasks

/// What a packed model file says about itself beside the weights.
struct PackedDescription: Codable {
  var network: Network
  var classNames: [String]?
  /// What the network is for; absent for classification.
  var task: String?
  /// The settings of the task, where they are not its defaults.
  var taskSettings: TaskMention?
  /// What is done to an image before it goes in, from version 3 of the format on.
  var pipeline: ImagePipeline?
  /// Mean and deviation, in files of versions 1 and 2.
  var normalization: Normalization?
  var metadata: [String: String]?
  /// The precision of products; absent for single precision.
  var precision: Precision?
  /// The ranges of the tensors, which 8 bits need.
  var calibration: Calibration?
  /// Layers whose products are in single precision all the same, from version 4 of the format on.
  var kept: [String]?
}

extension PackedDescription {
  /// Where files of versions 1 and 2 that were made of a run have the pipeline: in this entry of the
  /// metadata.
  private static let trainingKey = "muxnet.training"

  private struct Training: Decodable {
    var pipeline: ImagePipeline?
  }

  /// The pipeline, wherever the file has it; nil if it has none.
  ///
  /// - Throws: `DecodingError` where it cannot be read.
  func ownPipeline() throws -> ImagePipeline? {
    if let pipeline { return pipeline }
    if let text = metadata?[Self.trainingKey],
      let pipeline = try JSONDecoder().decode(Training.self, from: Data(text.utf8)).pipeline
    {
      return pipeline
    }
    guard let normalization else { return nil }
    return ImagePipeline.usual(for: network, normalization: normalization)
  }

  /// What of a description does not fit its network; nil if all does.
  static func defect(
    _ network: Network, classNames: [String]?, task: String?, pipeline: ImagePipeline?
  ) -> String? {
    // How many outputs another task has for its classes, it knows alone.
    if task == nil, let classNames, classNames.count != network.classCount {
      return "it names \(classNames.count) classes for \(network.classCount ?? 0) outputs"
    }
    return pipeline?.defect(for: network)
  }

  /// Why a description cannot be read, in a few words.
  static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it is not the JSON that is expected" }
    // Texts of a damaged file may be long.
    return String(error.reason.prefix(200))
  }
}
