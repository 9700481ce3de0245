// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXImages
import MUXVision

/// The images that a model is calibrated on, and others on which it is compared with single
/// precision. No image is in both.
public struct QuantizationImages: Sendable {
  /// How many images to take, spread evenly over those that there are.
  public struct Counts: Sendable, Hashable {
    /// Images to calibrate on; where both kinds come out of the same images, at most half of them.
    public var calibration: Int
    /// Images to compare on.
    public var heldOut: Int

    /// Counts; 256 images settle the ranges of most networks, 1,000 a share to about 1 %.
    public init(calibration: Int = 256, heldOut: Int = 1000) {
      self.calibration = calibration
      self.heldOut = heldOut
    }
  }

  package let calibration: any ImageDataSet
  package let heldOut: any ImageDataSet
  /// What lies beside the images and is not among them.
  public var leftOut: LeftOut { heldOut.leftOut }
  /// Whether the targets of the held-out images are known.
  let hasTargets: Bool

  /// Images without labels, in files and below folders.
  ///
  /// - Parameters:
  ///   - paths: Files and folders.
  ///   - counts: How many images to take.
  ///   - orientation: What is done with their EXIF orientation, as the weights' pipeline says.
  /// - Throws: `DataSetError` for a folder without images, ``QuantizationError/nothingHeldOut(_:)``
  ///   for a single image.
  public init(
    paths: [String], counts: Counts, orientation: OrientationHandling = .applied
  ) throws {
    let images = UnlabelledImages(try ImageFiles(paths), orientation: orientation)
    try self.init(images, images, counts, hasTargets: false)
  }

  /// Images of a data set: those to calibrate on from its training images, the others from a part.
  ///
  /// - Throws: What opening the data throws, ``QuantizationError/nothingHeldOut(_:)``.
  public init(
    _ data: DataConfiguration, part: DataPart, for weights: TrainedWeights, counts: Counts
  ) throws {
    var data = data
    data.cache = false  // It would decode all images for the sake of a few.
    let others = try WeightsEvaluation.images(part, of: data, for: weights)
    let source: any ImageDataSet
    do {
      source = try WeightsEvaluation.images(.training, of: data, for: weights)
    } catch EvaluationError.noPart {
      source = others
    }
    try self.init(source, others, counts, hasTargets: true)
  }

  private init(
    _ source: any ImageDataSet, _ others: any ImageDataSet, _ counts: Counts, hasTargets: Bool
  ) throws(QuantizationError) {
    var calibrating = counts.calibration
    if source.count == others.count, source.count > 0, source.name(at: 0) == others.name(at: 0) {
      calibrating = min(calibrating, source.count / 2)
    }
    let chosen = Self.spread(min(calibrating, source.count), over: Array(0..<source.count))
    let names = Set(chosen.map(source.name(at:)))
    let rest = (0..<others.count).filter { !names.contains(others.name(at: $0)) }
    guard !rest.isEmpty, !chosen.isEmpty || counts.calibration == 0 else {
      throw .nothingHeldOut(source.count)
    }
    calibration = DataSubset(source, indices: chosen)
    heldOut = DataSubset(
      others, indices: Self.spread(min(counts.heldOut, rest.count), over: rest))
    self.hasTargets = hasTargets
  }

  private static func spread(_ count: Int, over all: [Int]) -> [Int] {
    (0..<count).map { all[$0 * all.count / count] }
  }
}

/// Image files without classes.
private struct UnlabelledImages: ImageDataSet {
  let files: [String]
  let leftOut: LeftOut
  let orientation: OrientationHandling

  init(_ files: ImageFiles, orientation: OrientationHandling) {
    self.files = files.paths
    leftOut = files.leftOut
    self.orientation = orientation
  }

  var count: Int { files.count }
  var classNames: [String] { ["image"] }
  func target(at index: Int) -> Target { .label(0) }
  func name(at index: Int) -> String { files[index] }
  func image(at index: Int) throws -> Image {
    try Image(contentsOfFile: files[index], orientation: orientation)
  }
}
