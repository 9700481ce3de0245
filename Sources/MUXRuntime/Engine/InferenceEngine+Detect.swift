// SPDX-License-Identifier: Apache-2.0
public import MUXImages
internal import MUXNetworks
public import MUXTasks

extension InferenceEngine {
  /// The things in an image, each with its class and its box in pixels of the image, most likely first.
  ///
  /// ```swift
  /// let engine = try InferenceEngine(InferencePlan(model: "detector.muxnet"))
  /// for thing in try engine.detect(image).boxes { print(thing.label, thing.box) }
  /// ```
  /// The image is prepared as the model says (``InferencePlan/pipeline``), and the outputs are decoded
  /// with the settings that travel with it, so that the boxes are those of `muxnet predict`.
  ///
  /// - Parameters:
  ///   - image: An image of any size; grey or colour is turned into what the network takes.
  ///   - settings: How much is said; what is nil is as the model says.
  /// - Throws: ``RuntimeError`` if the image cannot be prepared, or the network is no detector.
  public func detect(
    _ image: Image, settings: DecodingSettings = DecodingSettings()
  ) throws(RuntimeError) -> Detections {
    let head = try detectionHead()
    let values = try run(image, reading: .outputs)
    return head.decode(values[...], original: image.size, settings: settings)
  }
}

extension InferencePlan {
  /// What makes sense of a detector's outputs.
  func detectionHead() throws(RuntimeError) -> DetectionHead {
    guard task == Detection.name else { throw .notDetector(network: name, task: task) }
    let settings = taskSettings?.task as? Detection ?? Detection()
    do {
      let head = try settings.head(
        network: name, imageSize: ImageSize(height: inputShape.height, width: inputShape.width),
        outputs: outputs.map { ($0.name, $0.shape) }, classNames: classNames)
      return pipeline.map { head.forImages(preparedBy: $0) } ?? head
    } catch {
      throw .description(network: name, reason: "\(error)")
    }
  }
}
