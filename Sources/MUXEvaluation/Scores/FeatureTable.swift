// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXImages
import MUXRuntime
import MUXWeights

/// The features of many images, as a file: what the last layer of a network makes classes of, by which
/// images are searched, grouped, or told apart by a small classifier of one's own.
package struct FeatureTable {
  private let predictor: Predictor
  private let model: RuntimeModel
  private var paths: [String] = []
  private var values: [Float] = []

  /// A table without images.
  ///
  /// - Parameters:
  ///   - predictor: Says how an image is prepared.
  ///   - model: The same network in the runtime.
  /// - Throws: `RuntimeError.noFeatures` for a network that has none.
  package init(_ predictor: Predictor, _ model: RuntimeModel) throws {
    self.predictor = predictor
    self.model = model
    let plan = try model.engine(for: model.network.inputSize).plan
    guard plan.featureCount != nil else {
      throw RuntimeError.noFeatures(network: model.network.name)
    }
  }

  /// Adds the features of an image.
  package mutating func add(_ image: Image, path: String) throws {
    let (size, pixels) = try predictor.prepared(image)
    values += try model.engine(for: size).features(pixels)
    paths.append(path)
  }

  /// Writes the safetensors file: the tensor `features` of shape [images, numbers], and the images' paths in
  /// the same order as the JSON list `paths` of its metadata.
  ///
  /// - Throws: `FileError`; then there is no file.
  package func write(to file: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    var archive = TensorArchive(
      metadata: [
        "paths": String(decoding: try encoder.encode(paths), as: UTF8.self),
        "network": model.network.name,
      ])
    let width = paths.isEmpty ? 0 : values.count / paths.count
    archive["features"] = ArchivedTensor(values, shape: [paths.count, width])
    try Safetensors.write(archive, to: file)
  }
}
