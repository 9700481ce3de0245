// SPDX-License-Identifier: Apache-2.0
public import MUXImages
internal import MUXNetworks
public import MUXTasks

extension InferenceEngine {
  /// The most likely classes of an image, most likely first.
  ///
  /// The image is prepared as the model says (``InferencePlan/pipeline``), so that the numbers are those
  /// of `muxnet predict`.
  ///
  /// - Parameters:
  ///   - image: An image of any size; grey or colour is turned into what the network takes.
  ///   - count: The most guesses that are wanted.
  /// - Throws: ``RuntimeError`` if `count` is negative, the image cannot be prepared, or the network
  ///   is no classifier.
  public func classify(_ image: Image, top count: Int = 5) throws(RuntimeError) -> [Prediction
    .Guess]
  {
    guard count >= 0 else { throw .guessCount(count) }
    try plan.requireClassifier()
    return plan.guesses(try run(image, reading: .outputs)[...], count)
  }

  /// The most likely classes of several images, as one batch: each thread takes an image at a time.
  ///
  /// - Returns: The guesses of each image, which are those that it gets alone.
  /// - Throws: What classifying one of them throws; no guesses are given then.
  public func classify(
    _ images: [Image], top count: Int = 5
  ) throws(RuntimeError) -> [[Prediction.Guess]] {
    guard count >= 0 else { throw .guessCount(count) }
    try plan.requireClassifier()
    let preparation = try preparation()
    let size = plan.inputShape.count, outputSize = plan.outputShape.count
    var guesses: [[Prediction.Guess]] = []
    // Some images at a time, so that many take no more memory than some.
    let portion = max(16, 4 * threads)
    for first in stride(from: 0, to: images.count, by: portion) {
      let part = images[first..<min(images.count, first + portion)]
      var pixels = [Float](repeating: 0, count: size * part.count)
      for (place, image) in part.enumerated() {
        try preparation.image(image, for: plan) { prepared in
          pixels.withUnsafeMutableBufferPointer { pixels in
            if let start = pixels.baseAddress {
              preparation.normalizer.write(
                prepared, to: start + place * size, layout: .channelsFirst)
            }
          }
        }
      }
      let outputs = try run(pixels, count: part.count)
      for place in 0..<part.count {
        guesses.append(
          plan.guesses(outputs[place * outputSize..<(place + 1) * outputSize], count))
      }
    }
    return guesses
  }
}

extension InferencePlan {
  /// Makes sure that the network gives one value for each class.
  func requireClassifier() throws(RuntimeError) {
    guard outputs.count == 1, outputShape.height == 1, outputShape.width == 1 else {
      throw .notClassifier(network: name)
    }
    // The softmax would be of numbers that are no classes' scores.
    if let task { throw .otherTask(network: name, task: task) }
  }

  /// The `count` most likely classes for the outputs of an image.
  func guesses(_ outputs: ArraySlice<Float>, _ count: Int) -> [Prediction.Guess] {
    let shares = Softmax.probabilities(outputs)
    let names = classNames ?? []
    return ClassificationMetrics.best(min(count, shares.count), of: shares).map {
      Prediction.Guess(
        label: $0.index < names.count ? names[$0.index] : "\($0.index)", index: $0.index,
        probability: Double($0.score))
    }
  }
}
