// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXRuntime

/// What a packed model keeps of a run beside network and classes, so that evaluations and
/// predictions prepare images as training did.
struct PackedTraining: Codable {
  var pipeline: ImagePipeline
  var isAveraged: Bool?
  var epoch: Int?
  var step: Int?
  var scores: ClassificationScores?

  private static let key = "muxnet.training"

  init(pipeline: ImagePipeline, _ metadata: WeightsMetadata?) {
    self.pipeline = pipeline
    isAveraged = metadata?.isAveraged
    epoch = metadata?.epoch
    step = metadata?.step
    scores = metadata?.scores
  }

  /// Reads what a packed model has kept; nil if that is nothing.
  init?(_ model: PackedModel) throws {
    guard let text = model.metadata[Self.key] else { return nil }
    do {
      self = try JSONDecoder().decode(PackedTraining.self, from: Data(text.utf8))
    } catch {
      throw CheckpointError.damaged(
        path: model.path, reason: "its metadata cannot be read (\(error.localizedDescription))")
    }
  }

  func dictionary() throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [Self.key: String(decoding: try encoder.encode(self), as: UTF8.self)]
  }

  func metadata(_ network: Network, classNames: [String]) -> WeightsMetadata {
    WeightsMetadata(
      network: network, classNames: classNames, pipeline: pipeline,
      isAveraged: isAveraged ?? false, epoch: epoch ?? 0, step: step ?? 0, scores: scores)
  }
}
