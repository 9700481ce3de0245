// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
import MUXVision

/// How images are cropped, resized and augmented on their way into the network.
public struct AugmentationConfiguration: Codable, Hashable, Sendable {
  /// How a training image is cut.
  public enum Crop: String, Codable, CaseIterable, Sendable {
    /// A window of random area and aspect, resized to the input ("Inception" cropping).
    case randomResized
    /// The image with a border of zeros, cut back to its size at a random place, then resized to
    /// the input where that is larger.
    case padded
    /// The whole image, resized to the input.
    case none
  }

  /// How a training image is cut.
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
  /// How pixels between pixels are found, in training and evaluation.
  public var interpolation: Interpolation = .bilinear
  /// Share of the images mirrored left to right.
  public var flip: Double = 0.5
  /// Brightness, contrast and saturation are multiplied by a factor drawn from 1 ± this.
  public var brightness: Double = 0
  /// See `brightness`.
  public var contrast: Double = 0
  /// See `brightness`.
  public var saturation: Double = 0
  /// Hue turns by a share of the circle drawn from ± this.
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

  /// The defaults: a random resized crop and a flip, as in the paper's ImageNet training.
  public init() {}

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try container.update(&crop, .crop)
    try container.update(&area, .area)
    try container.update(&aspect, .aspect)
    try container.update(&padding, .padding)
    try container.update(&cropSize, .cropSize)
    try container.update(&interpolation, .interpolation)
    try container.update(&flip, .flip)
    try container.update(&brightness, .brightness)
    try container.update(&contrast, .contrast)
    try container.update(&saturation, .saturation)
    try container.update(&hue, .hue)
    try container.update(&randAugmentOperations, .randAugmentOperations)
    try container.update(&randAugmentMagnitude, .randAugmentMagnitude)
    try container.update(&erasing, .erasing)
    try container.update(&cutout, .cutout)
    try container.update(&evaluationCrop, .evaluationCrop)
  }

  /// Checks every setting.
  public func validate(path: String = "augmentation") throws(ConfigurationError) {
    func checkRange(_ key: String, _ value: [Double], upTo limit: Double)
      throws(ConfigurationError)
    {
      try ConfigurationError.require(
        value.count == 2 && value[0] >= 0.001 && value[0] <= value[1] && value[1] <= limit,
        "\(path).\(key)", value, "must be two numbers in 0.001…\(limit), the smaller first")
    }
    func checkShare(_ key: String, _ value: Double, upTo limit: Double = 1)
      throws(ConfigurationError)
    {
      try ConfigurationError.require(
        value >= 0 && value <= limit, "\(path).\(key)", value, "must lie in 0…\(limit)")
    }
    try checkRange("area", area, upTo: 1)
    try checkRange("aspect", aspect, upTo: 1000)
    try ConfigurationError.require("\(path).padding", padding, in: 0...1024)
    try ConfigurationError.require("\(path).cropSize", cropSize ?? 1, in: 1...8192)
    try checkShare("flip", flip)
    try checkShare("brightness", brightness)
    try checkShare("contrast", contrast)
    try checkShare("saturation", saturation)
    try checkShare("hue", hue, upTo: 0.5)
    try ConfigurationError.require(
      "\(path).randAugmentOperations", randAugmentOperations, in: 0...100)
    try checkShare("randAugmentMagnitude", randAugmentMagnitude, upTo: 10)
    try checkShare("erasing", erasing)
    try ConfigurationError.require("\(path).cutout", cutout, in: 0...8192)
    // The image is resized to the input's side divided by this.
    try ConfigurationError.require("\(path).evaluationCrop", evaluationCrop, in: 0.1...1)
  }
}
