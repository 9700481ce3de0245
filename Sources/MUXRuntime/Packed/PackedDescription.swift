// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// What a packed model file says about itself beside the weights.
struct PackedDescription: Codable {
  var network: Network
  var classNames: [String]?
  var normalization: PixelNormalization?
  var metadata: [String: String]?
  /// What products are made of; absent for single precision.
  var precision: Precision?
  /// The ranges of the tensors, which 8 bits need.
  var calibration: Calibration?
}

extension PackedDescription {
  /// What of a description does not fit its network; nil if all does.
  static func defect(
    _ network: Network, classNames: [String]?, normalization: PixelNormalization?
  ) -> String? {
    if let classNames, classNames.count != network.classCount {
      return "it names \(classNames.count) classes for \(network.classCount ?? 0) outputs"
    }
    if let normalization {
      let counts = [normalization.mean.count, normalization.standardDeviation.count]
      guard counts.allSatisfy({ $0 == network.inputChannels }),
        normalization.standardDeviation.allSatisfy({ $0 > 0 && $0 < .infinity }),
        normalization.mean.allSatisfy(\.isFinite)
      else { return "its normalisation is not that of its images" }
    }
    return nil
  }
}

/// What is done to the values of a pixel, 0 … 1, before they go in: (value − mean) / deviation.
public struct PixelNormalization: Sendable, Hashable, Codable {
  /// Subtracted, one value per channel.
  public var mean: [Float]
  /// Divided by, one value per channel.
  public var standardDeviation: [Float]

  /// A normalisation; both have one value per channel.
  public init(mean: [Float], standardDeviation: [Float]) {
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// What networks trained on ImageNet usually take.
  public static let imageNet = PixelNormalization(
    mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
}
