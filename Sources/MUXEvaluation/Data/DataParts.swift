// SPDX-License-Identifier: Apache-2.0
package import MUXCore
public import MUXImages
import MUXVision

/// A part of a data set.
public enum DataPart: String, Codable, CaseIterable, Sendable {
  /// What the weights are fitted to.
  case training
  /// What choices are made on.
  case validation
  /// What is looked at once, at the end.
  case test
}

extension DataConfiguration {
  /// Opens one part of the data.
  ///
  /// - Parameters:
  ///   - part: The part.
  ///   - classNames: The classes in the order of the labels, as the training had them; nil takes
  ///     those of the data.
  /// - Throws: `DataSetError`, or `ConfigurationError` where the data has no such part.
  public func open(
    _ part: DataPart, classNames: [String]? = nil
  ) throws -> any ImageDataSet {
    let fractions = [1 - validationFraction - testFraction, validationFraction, testFraction]
    let index = part == .training ? 0 : part == .validation ? 1 : 2
    guard part == .training || fractions[index] > 0 else {
      return try openOwn(part, classNames: classNames)
    }
    let whole = try openOwn(.training, classNames: classNames)
    guard validationFraction > 0 || testFraction > 0 else { return whole }
    let present = fractions.indices.filter { fractions[$0] > 0 }
    let parts = try whole.split(fractions: present.map { fractions[$0] }, seed: splitSeed)
    guard let place = present.firstIndex(of: index) else { return whole }
    return parts[place]
  }

  /// A part that the data set itself has.
  private func openOwn(_ part: DataPart, classNames: [String]?) throws -> any ImageDataSet {
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
      let folder =
        part == .training ? trainingFolder : part == .validation ? validationFolder : testFolder
      var images = try ImageFolder(
        path: folder.isEmpty ? path : "\(path)/\(folder)", classNames: classNames)
      images.orientation = orientation
      return images
    }
  }

  /// Side of the images in pixels; nil where they differ.
  package var nativeSize: Int? {
    switch source {
    case .digits: 8
    case .cifar10, .cifar100: 32
    case .folder: nil
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
      case .folder: (ImagePipeline.imageNetMean, ImagePipeline.imageNetDeviation)
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
