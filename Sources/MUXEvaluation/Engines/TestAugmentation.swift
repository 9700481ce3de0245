// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXNetworks
public import MUXTasks

/// Several views of an image whose answers are averaged: test-time augmentation.
public enum TestAugmentation: String, Codable, CaseIterable, Sendable {
  /// The image as it is.
  case none
  /// The image and its mirror image.
  case flip
  /// The four corners and the middle of a larger image, and their mirror images.
  case tenCrop

  /// How images are prepared so that the views can be cut from them, and the size of a view.
  ///
  /// Ten crops need a margin: where the pipeline cuts the middle out of a resized image, the views are
  /// cut from the square around that middle; where it shows all of the image, that is enlarged to 8/7.
  ///
  /// - Throws: ``EvaluationError/noMargin(pipeline:)`` for pipelines that end in something else.
  public func preparation(
    _ pipeline: ImagePipeline
  ) throws(EvaluationError) -> (pipeline: ImagePipeline, view: ImageSize?) {
    guard self == .tenCrop else { return (pipeline, nil) }
    var pipeline = pipeline
    guard let last = pipeline.transforms.last else { throw .noMargin(pipeline: "nothing") }
    switch last {
    case .centerCrop(let size):
      guard pipeline.transforms.count > 1,
        case .resize(let resize) = pipeline.transforms[pipeline.transforms.count - 2],
        let side = resize.shorterSide ?? resize.size.map({ min($0.width, $0.height) }),
        side > max(size.width, size.height)
      else { throw .noMargin(pipeline: "a crop without a larger image around it") }
      pipeline.transforms[pipeline.transforms.count - 1] = .centerCrop(ImageSize(side))
      return (pipeline, size)
    case .resize(var resize):
      guard let size = resize.size else { throw .noMargin(pipeline: "images of any shape") }
      resize.size = ImageSize(height: (size.height * 8 + 3) / 7, width: (size.width * 8 + 3) / 7)
      pipeline.transforms[pipeline.transforms.count - 1] = .resize(resize)
      return (pipeline, size)
    case .letterbox: throw .noMargin(pipeline: "a letterbox")
    case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
      .photometricDistortion, .randomExpansion, .overlapCrop:
      throw .noMargin(pipeline: "a random step")
    }
  }
}

/// A model that looks at several views of each image and averages what its task makes of them.
public struct AugmentedModel: VisionModel {
  private let base: any VisionModel
  private let augmentation: TestAugmentation
  private let view: ImageSize?
  private let average: @Sendable ([[OutputTensor]]) throws -> [OutputTensor]
  /// How images have to be prepared for it.
  public let pipeline: ImagePipeline

  /// Wraps another model.
  ///
  /// - Parameters:
  ///   - base: What computes.
  ///   - augmentation: The views.
  ///   - head: What makes sense of the outputs, and so knows how to average them.
  ///   - pipeline: How images are prepared for the model itself.
  /// - Throws: ``EvaluationError`` where the pipeline leaves no room for the views, `TaskError` where the
  ///   task cannot average.
  public init(
    _ base: any VisionModel, _ augmentation: TestAugmentation, head: any TaskHead,
    pipeline: ImagePipeline
  ) throws {
    self.base = base
    self.augmentation = augmentation
    (self.pipeline, view) = try augmentation.preparation(pipeline)
    average = { try head.average($0) }
    // A task that cannot says so before any image is read.
    if augmentation != .none { _ = try head.average([]) }
  }

  /// The network that is run.
  public var network: Network { base.network }
  /// The order of the values in memory that suits it best.
  public var layout: MemoryLayout4D { base.layout }

  /// The averaged outputs for N images.
  public func outputs(_ batch: PixelBatch) throws -> [OutputTensor] {
    if augmentation == .none { return try base.outputs(batch) }
    return try average(views(of: batch).map { try base.outputs($0) })
  }

  private func views(of batch: PixelBatch) -> [PixelBatch] {
    guard let view else { return [batch, batch.mirrored()] }
    let (right, bottom) = (batch.width - view.width, batch.height - view.height)
    let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom), (right / 2, bottom / 2)]
    return corners.flatMap { x, y in
      let crop = batch.cropped(x: x, y: y, size: view)
      return [crop, crop.mirrored()]
    }
  }
}

extension PixelBatch {
  /// The same images seen in a mirror.
  package func mirrored() -> PixelBatch {
    copy(size: ImageSize(height: height, width: width)) { x, y in (width - 1 - x, y) }
  }

  /// A part of each image; it must lie inside.
  package func cropped(x left: Int, y top: Int, size: ImageSize) -> PixelBatch {
    precondition(
      left >= 0 && top >= 0 && left + size.width <= width && top + size.height <= height,
      "the part lies outside the images")
    return copy(size: size) { x, y in (left + x, top + y) }
  }

  private func copy(size: ImageSize, _ source: (Int, Int) -> (Int, Int)) -> PixelBatch {
    let area = size.width * size.height
    let values = [Float](unsafeUninitializedCapacity: count * channels * area) { buffer, used in
      let (pixel, plane) = layout == .channelsLast ? (channels, 1) : (1, width * height)
      let (ownPixel, ownPlane) = layout == .channelsLast ? (channels, 1) : (1, area)
      for image in 0..<count {
        let (from, to) = (image * channels * width * height, image * channels * area)
        for y in 0..<size.height {
          for x in 0..<size.width {
            let (sourceX, sourceY) = source(x, y)
            let own = to + (y * size.width + x) * ownPixel
            let other = from + (sourceY * width + sourceX) * pixel
            for channel in 0..<channels {
              buffer.initializeElement(
                at: own + channel * ownPlane, to: self.values[other + channel * plane])
            }
          }
        }
      }
      used = count * channels * area
    }
    return PixelBatch(
      count: count, channels: channels, height: size.height, width: size.width, layout: layout,
      values: values)
  }
}
