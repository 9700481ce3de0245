// SPDX-License-Identifier: Apache-2.0
public import MUXImages
internal import MUXNetworks

extension InferencePlan {
  /// An image as the plan takes it: prepared as the model says (``pipeline``), as the training's
  /// evaluations did.
  ///
  /// - Returns: [C, H, W].
  /// - Throws: ``RuntimeError/preparation(reason:)`` if the image cannot be prepared so.
  public func pixels(of image: Image) throws(RuntimeError) -> [Float] {
    let preparation = try preparation()
    return try preparation.image(image, for: self) { prepared in
      [Float](unsafeUninitializedCapacity: inputShape.count) { buffer, count in
        if let start = buffer.baseAddress {
          preparation.normalizer.write(prepared, to: start, layout: .channelsFirst)
        }
        count = inputShape.count
      }
    }
  }

  /// What prepares images for the plan.
  func preparation() throws(RuntimeError) -> Preparation {
    guard let pipeline else {
      throw .preparation(
        reason: "the network takes images of \(inputShape.channels) channels, not grey or colours;"
          + " prepare the numbers yourself")
    }
    return Preparation(pipeline: pipeline, normalizer: Normalizer(pipeline))
  }
}

extension InferencePlan {
  /// Where in the arena the wanted numbers lie side by side; nil if they are scattered.
  func place(of reading: InferenceEngine.Reading) -> (offset: Int, count: Int)? {
    switch reading {
    case .outputs: (outputOffset, outputShape.count)
    case .features: featurePlace.flatMap { place in place.start.map { ($0, place.offsets.count) } }
    }
  }
}

/// A pipeline with its normalisation worked out.
struct Preparation: Sendable {
  let pipeline: ImagePipeline
  let normalizer: Normalizer

  /// Hands over the prepared image, whose values are yet to be normalised.
  func image<Result>(
    _ image: Image, for plan: InferencePlan, _ body: (Image) -> Result
  ) throws(RuntimeError) -> Result {
    let prepared: Image
    do { prepared = try pipeline.prepared(image) } catch {
      throw .preparation(reason: error.description)
    }
    guard prepared.width == plan.inputShape.width, prepared.height == plan.inputShape.height else {
      throw .preparation(
        reason: "the model's preparation gives an image of \(prepared.width)×\(prepared.height) for"
          + " this one, but the plan is for \(plan.inputShape.width)×\(plan.inputShape.height); make"
          + " a plan for that size")
    }
    return body(prepared)
  }

  /// Writes the prepared and normalised image, [C, H, W], to where the plan reads it.
  func write(
    _ image: Image, for plan: InferencePlan, to target: UnsafeMutableBufferPointer<Float>
  ) throws(RuntimeError) {
    try self.image(image, for: plan) { prepared in
      if let start = target.baseAddress {
        normalizer.write(prepared, to: start, layout: .channelsFirst)
      }
    }
  }
}
