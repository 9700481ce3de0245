// SPDX-License-Identifier: Apache-2.0
internal import Foundation

/// A class that an image may be of.
public struct ClassGuess: Sendable, Hashable {
  /// The class's name; its number where the model names none.
  public let label: String
  /// Its place among the outputs.
  public let index: Int
  /// The softmax of its output, 0 … 1.
  public let probability: Float
}

extension InferencePlan {
  /// An image as the plan takes it: scaled so that its shorter side is 8/7 of the plan's, the middle
  /// cut out, normalised as the model says (else as for ImageNet).
  ///
  /// - Returns: [3, H, W].
  /// - Throws: ``RuntimeError/pixelCount(expected:actual:shape:)`` if the plan takes no colours.
  public func pixels(of image: RGBImage) throws(RuntimeError) -> [Float] {
    try checkTakesColors()
    return image.pixels(
      height: inputShape.height, width: inputShape.width,
      normalization: normalization ?? .imageNet)
  }

  fileprivate func checkTakesColors() throws(RuntimeError) {
    guard inputShape.channels == 3 else {
      throw .pixelCount(
        expected: inputShape.count, actual: 3 * inputShape.height * inputShape.width,
        shape: "\(inputShape)")
    }
  }
}

extension InferenceEngine {
  /// The most likely classes of an image, most likely first.
  ///
  /// - Throws: ``RuntimeError`` if the plan takes no colour images, or `top` is negative.
  public func classify(_ image: RGBImage, top count: Int = 5) throws(RuntimeError) -> [ClassGuess] {
    guard count >= 0 else { throw .guessCount(count) }
    try plan.checkTakesColors()
    let shape = plan.inputShape
    let outputs = try run { input in
      image.write(
        height: shape.height, width: shape.width, normalization: plan.normalization ?? .imageNet,
        to: input)
    }
    let largest = outputs.max() ?? 0
    let shares = outputs.map { exp($0 - largest) }
    let sum = shares.reduce(0, +)
    return shares.indices.sorted { (-shares[$0], $0) < (-shares[$1], $1) }.prefix(count).map {
      let names = plan.classNames ?? []
      return ClassGuess(
        label: $0 < names.count ? names[$0] : "\($0)", index: $0, probability: shares[$0] / sum)
    }
  }
}
