// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks

/// What a packed model keeps of a run beside network, classes and the preparation of images, which are
/// in the file's own format. (Files of versions 1 and 2 have the preparation here; `PackedModel` knows.)
struct PackedTraining: Codable {
  var task: NamedTask?
  var isAveraged: Bool?
  var epoch: Int?
  var step: Int?
  var scores: Scores?

  private static let key = "muxnet.training"

  init(_ metadata: WeightsMetadata?) {
    task = metadata?.task
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
        path: model.path, reason: "its metadata cannot be read (\(WeightsMetadata.reason(error)))")
    }
  }

  func dictionary() throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [Self.key: String(decoding: try encoder.encode(self), as: UTF8.self)]
  }

  func metadata(
    _ network: Network, classNames: [String], pipeline: ImagePipeline
  ) -> WeightsMetadata {
    WeightsMetadata(
      network: network, task: task, classNames: classNames, pipeline: pipeline,
      isAveraged: isAveraged ?? false, epoch: epoch ?? 0, step: step ?? 0, scores: scores)
  }
}
