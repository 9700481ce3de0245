// SPDX-License-Identifier: Apache-2.0
public import MUXImages
internal import MUXTasks

extension InferenceEngine {
  /// The features of an image: the numbers that the last fully connected layer makes classes of, as
  /// PyTorch code calls them "pre-logits" or an embedding. Images that look alike to the network have
  /// features that point in like directions, so they serve to search, to group, and to train a small
  /// classifier of one's own on.
  ///
  /// ```swift
  /// let features = try engine.features(of: image)        // 1,280 numbers, of a MUXNet
  /// ```
  /// They cost nothing beside a run: it has computed them on the way.
  ///
  /// - Parameter pixels: [C, H, W], normalised as in training.
  /// - Returns: ``InferencePlan/featureCount`` numbers.
  /// - Throws: ``RuntimeError/noFeatures(network:)`` if the network does not end with a fully connected
  ///   layer, else as ``run(_:)``.
  public func features(_ pixels: [Float]) throws(RuntimeError) -> [Float] {
    try run(pixels, reading: .features)
  }

  /// The features of an image, which is prepared as the model says (``InferencePlan/pipeline``).
  ///
  /// - Parameter image: An image of any size; grey or colour is turned into what the network takes.
  /// - Returns: ``InferencePlan/featureCount`` numbers.
  /// - Throws: ``RuntimeError`` if the image cannot be prepared, or as ``features(_:)``.
  public func features(of image: Image) throws(RuntimeError) -> [Float] {
    try run(image, reading: .features)
  }
}
