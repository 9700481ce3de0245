// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
import MUXVision

/// How images are cropped, resized and augmented on their way into the network.
public struct AugmentationConfiguration: Codable, Hashable, Sendable {
  /// How a training image is cropped.
  public enum Crop: String, Codable, CaseIterable, Sendable {
    /// A window of random area and aspect, resized to the input ("Inception" cropping).
    case randomResized
    /// The image with a border of zeros, cut back to its size at a random place, then resized to
    /// the input where that is larger.
    case padded
    /// The whole image, resized to the input.
    case none
    /// For boxes: a part that shows some object well enough, resized to the input. Colours are distorted
    /// and the image is expanded before, as `distortion` and `expansion` say.
    case overlap
  }

  /// How a training image is cropped.
  public var crop: Crop = .randomResized
  /// Crop `randomResized`: least and largest share of the image's area.
  public var area: [Double] = [0.08, 1]
  /// Crop `randomResized`: least and largest width over height.
  public var aspect: [Double] = [0.75, 4.0 / 3.0]
  /// Crop `padded`: width of the border in pixels.
  public var padding: Int = 4
  /// Crop `padded`: side of the images at that point; `nil` takes that of the data set, or of the
  /// network's input for images of any size. Other images are resized to it first.
  public var cropSize: Int?
  /// The resampling filter, in training and evaluation.
  public var interpolation: Interpolation = .bilinear
  /// Share of the images mirrored left to right.
  public var flip: Double = 0.5
  /// Brightness, contrast and saturation are multiplied by a factor drawn from 1 ± this.
  public var brightness: Double = 0
  /// See `brightness`.
  public var contrast: Double = 0
  /// See `brightness`.
  public var saturation: Double = 0
  /// Hue is rotated by a fraction of the circle drawn from ± this.
  public var hue: Double = 0
  /// RandAugment: operations on each image; 0 switches it off.
  public var randAugmentOperations: Int = 0
  /// RandAugment: strength, 0…10.
  public var randAugmentMagnitude: Double = 9
  /// Random erasing: share of the images that lose a rectangle.
  public var erasing: Double = 0
  /// Cutout: side of the square that each image loses, in pixels of the input; 0 switches it off.
  public var cutout: Int = 0
  /// Evaluation: share of the resized image's side that the central crop keeps; 1 shows it all.
  public var evaluationCrop: Double = 0.875

  /// Crop `overlap`: when a part suits.
  public var overlapRule: OverlapCrop.Rule = .someObject
  /// Crop `overlap`: how often each of brightness, contrast, saturation, hue and the order of the colours
  /// is changed.
  public var distortion: Double = 0.5
  /// Crop `overlap`: how often an image is put on a larger ground.
  public var expansion: Double = 0.5
  /// Crop `overlap`: the largest side of that ground, of the image's.
  public var largestExpansion: Double = 4
  /// Whether images keep their aspect where the whole of one is resized: what is missing of the input is
  /// filled with the mean colour.
  public var letterbox: Bool = false

  /// The defaults: a random resized crop and a flip, as in the paper's ImageNet training.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension AugmentationConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    func range(upTo limit: Double) -> SettingRule<[Double]> {
      SettingRule("two numbers in 0.001…\(limit.settingText), the smaller first") {
        $0.count == 2 && $0[0] >= 0.001 && $0[0] <= $0[1] && $0[1] <= limit
      }
    }
    return [
      Setting("crop", \.crop, "How a training image is cropped"),
      Setting(
        "area", \.area, "Crop randomResized: least and largest share of the image's area",
        in: range(upTo: 1)),
      Setting(
        "aspect", \.aspect, "Crop randomResized: least and largest width over height",
        in: range(upTo: 1000)),
      Setting(
        "padding", \.padding, "Crop padded: width of the border", unit: "pixels",
        in: .within(0...1024)),
      Setting(
        "cropSize", \.cropSize,
        "Crop padded: side of the images before padding; others are resized to it first",
        absent: "that of the data set, or of the input for images of any size", unit: "pixels",
        in: .within(1...8192)),
      Setting(
        "interpolation", \.interpolation,
        "The resampling filter, in training and evaluation"),
      Setting(
        "flip", \.flip, "Share of the images that are mirrored left to right", in: .within(0...1)),
      Setting(
        "brightness", \.brightness, "Brightness is multiplied by a factor drawn from 1 ± this",
        in: .within(0...1)),
      Setting(
        "contrast", \.contrast, "Contrast is multiplied by a factor drawn from 1 ± this",
        in: .within(0...1)),
      Setting(
        "saturation", \.saturation, "Saturation is multiplied by a factor drawn from 1 ± this",
        in: .within(0...1)),
      Setting(
        "hue", \.hue, "Hue is rotated by a fraction of the circle drawn from ± this",
        in: .within(0...0.5)),
      Setting(
        "randAugmentOperations", \.randAugmentOperations,
        "RandAugment: operations on each image; 0 switches it off", in: .within(0...100)),
      Setting(
        "randAugmentMagnitude", \.randAugmentMagnitude, "RandAugment: strength", in: .within(0...10)
      ),
      Setting(
        "erasing", \.erasing, "Random erasing: share of the images that lose a rectangle",
        in: .within(0...1)),
      Setting(
        "cutout", \.cutout, "Cutout: side of the square that each image loses; 0 switches it off",
        unit: "pixels", in: .within(0...8192)),
      // The image is resized to the input's side divided by this.
      Setting(
        "evaluationCrop", \.evaluationCrop,
        "Evaluation: share of the resized image's side that the central crop keeps; 1 shows it all",
        in: .within(0.1...1)),
      Setting("overlapRule", \.overlapRule, "Crop overlap: when a crop is accepted"),
      Setting(
        "distortion", \.distortion,
        "Crop overlap: how often each of brightness, contrast, saturation, hue and colour order changes",
        in: .within(0...1)),
      Setting(
        "expansion", \.expansion, "Crop overlap: how often an image is placed on a larger canvas",
        in: .within(0...1)),
      Setting(
        "largestExpansion", \.largestExpansion,
        "Crop overlap: the largest side of that canvas, relative to the image's",
        in: .within(1...16)),
      Setting(
        "letterbox", \.letterbox,
        "Whether whole images keep their aspect ratio; the rest of the input has the mean colour"),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "augmentation") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}

extension AugmentationConfiguration.Crop: ChosenSetting {
  package var meaning: String {
    switch self {
    case .randomResized: "a window of random area and aspect, resized to the input"
    case .padded:
      "zero padding, a crop at a random place, then a resize if the input is larger"
    case .none: "the whole image, resized to the input"
    case .overlap: "for boxes: a crop that shows some object well enough, resized to the input"
    }
  }
}
