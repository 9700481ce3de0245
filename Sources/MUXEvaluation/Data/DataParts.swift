// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXCore
public import MUXImages
import MUXVision

extension DataConfiguration {
  /// Opens one part of the data, of settings as ``resolved()`` makes them.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - classNames: The classes in the order of the labels, as the training had them; nil takes
  ///     those of the data.
  ///   - allowsEmptyClasses: Whether classes may be without images (then a warning); nil allows it
  ///     for all parts but the training images.
  /// - Throws: `DataSetError`, or `ConfigurationError` where the data has no such part.
  public func open(
    _ part: DataPart, classNames: [String]? = nil, allowsEmptyClasses: Bool? = nil
  ) throws -> any ImageDataSet {
    limited(
      try resolved().settings.openAsIs(
        part, classNames: classNames, allowsEmptyClasses: allowsEmptyClasses ?? (part != .training)
      ))
  }

  /// So many images of a part as the settings say.
  func limited(_ images: any ImageDataSet) -> any ImageDataSet {
    guard let limit, limit < images.count else { return images }
    return DataSubset(
      images, indices: (0..<limit).map { $0 * images.count / limit },
      division: "\(limit.grouped) of \(images.count.grouped) images")
  }

  /// Opens one part of the data as the settings say, with nothing decided by the data.
  func openAsIs(
    _ part: DataPart, classNames: [String]?, allowsEmptyClasses: Bool
  ) throws -> any ImageDataSet {
    if let folds, part != .test || testFraction > 0 {
      var images: any ImageDataSet = try openOwn(
        .training, classNames: classNames, allowsEmptyClasses: allowsEmptyClasses)
      if testFraction > 0 {
        let parts = try images.split(
          fractions: [1 - testFraction, testFraction], seed: splitSeed)
        if part == .test { return parts[1] }
        images = parts[0]
      }
      let parts = try images.fold(fold, of: folds, seed: splitSeed)
      return part == .training ? parts.training : parts.validation
    }
    let fractions = [1 - validationFraction - testFraction, validationFraction, testFraction]
    let index = part == .training ? 0 : part == .validation ? 1 : 2
    guard part == .training || fractions[index] > 0 else {
      let images = try openOwn(
        part, classNames: classNames, allowsEmptyClasses: allowsEmptyClasses)
      if part != .training { try requireApart(images, named: part) }
      return images
    }
    let whole = try openOwn(
      .training, classNames: classNames, allowsEmptyClasses: allowsEmptyClasses)
    guard validationFraction > 0 || testFraction > 0 else { return whole }
    let present = fractions.indices.filter { fractions[$0] > 0 }
    let parts = try whole.split(fractions: present.map { fractions[$0] }, seed: splitSeed)
    guard let place = present.firstIndex(of: index) else { return whole }
    return parts[place]
  }

  /// A part that the data set itself has, with the groups that its names tell.
  func openOwn(
    _ part: DataPart, classNames: [String]?, allowsEmptyClasses: Bool
  ) throws -> any ImageDataSet {
    try grouped(
      openPlain(part, classNames: classNames, allowsEmptyClasses: allowsEmptyClasses))
  }

  private func openPlain(
    _ part: DataPart, classNames: [String]?, allowsEmptyClasses: Bool
  ) throws -> any ImageDataSet {
    let path = path ?? ""
    switch source {
    case .digits:
      guard part == .training else {
        throw ConfigurationError(
          setting: "data.\(part.rawValue)Fraction", value: "0",
          expected: "the digits have no \(part.rawValue) images of their own; hold out some")
      }
      return DigitsDataSet()
    case .cifar10, .cifar100:
      return try CIFARDataSet(
        path: path, kind: source == .cifar10 ? .cifar10 : .cifar100, training: part == .training)
    case .folder:
      // The folder of the data itself says what is wrong with it best.
      if isMissing(part), FileManager.default.fileExists(atPath: path) {
        throw missingFolder(of: part, in: path)
      }
      var images = try ImageFolder(
        path: place(of: part), classNames: classNames, allowsEmptyClasses: allowsEmptyClasses)
      images.orientation = orientation
      return images
    case .list:
      if isMissing(part), !Self.isFile(path) { throw missingFolder(of: part, in: path) }
      var images = try ListDataSet(
        path: place(of: part), classNames: classNames, labelColumn: labelColumn, none: noneLabel)
      // Of several lists each leaves out the images of the others.
      if part == .training, Self.isFile(path) { images.noteUnlabelled() }
      images.orientation = orientation
      return images
    case .voc, .coco, .yolo, .boxes: return try openBoxes(part, classNames: classNames)
    case .chestxray14:
      return try ChestXRay14(
        path: path, split: split ?? ChestXRay14.usualSplit(at: path), part: part,
        classNames: classNames)
    }
  }

  /// Side of the images in pixels; nil where they differ.
  package var nativeSize: Int? {
    switch source {
    case .digits: 8
    case .cifar10, .cifar100: 32
    case .folder, .list, .voc, .coco, .yolo, .boxes, .chestxray14: nil
    }
  }

  /// The normalisation for images of so many channels.
  ///
  /// - Throws: `ConfigurationError` where the configured numbers are of other channels.
  package func normalization(channels: Int) throws(ConfigurationError) -> Normalization {
    let standard: (mean: [Float], deviation: [Float]) =
      switch source {
      case .digits: ([0.3053], [0.3761])
      case .cifar10, .cifar100: (ImagePipeline.cifarMean, ImagePipeline.cifarDeviation)
      case .folder, .list, .voc, .coco, .yolo, .boxes, .chestxray14:
        (ImagePipeline.imageNetMean, ImagePipeline.imageNetDeviation)
      }
    func fitted(_ given: [Double]?, _ standard: [Float], _ key: String)
      throws(ConfigurationError) -> [Float]
    {
      let values = given.map { $0.map { Float($0) } } ?? standard
      if values.count == channels { return values }
      // Grey images repeated, or colours turned grey, with the mean of the standard numbers.
      guard given == nil else {
        throw ConfigurationError(
          setting: "data.\(key)", value: "\(values)",
          expected: "the network takes \(channels) channel(s), so give as many values")
      }
      return [Float](repeating: values.reduce(0, +) / Float(values.count), count: channels)
    }
    return Normalization(
      mean: try fitted(mean, standard.mean, "mean"),
      standardDeviation: try fitted(
        standardDeviation, standard.deviation, "standardDeviation"))
  }

  /// Channels of the images, for a network that does not say otherwise.
  package var channels: Int { source == .digits ? 1 : 3 }
}
