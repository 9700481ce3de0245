// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// One step from image to image.
///
/// In files a step is its name with its settings, `{"randomCrop": {"size": 32, "padding": 4}}`, or
/// its name alone where all settings have defaults, `"horizontalFlip"`.
public enum ImageTransform: Sendable, Hashable {
  /// Another size.
  case resize(Resize)
  /// The middle, padded with zeros where the image is smaller.
  case centerCrop(ImageSize)
  /// A random place after padding.
  case randomCrop(RandomCrop)
  /// A random area and aspect, resized.
  case randomResizedCrop(RandomResizedCrop)
  /// Left and right exchanged with a probability.
  case horizontalFlip(probability: Double = 0.5)
  /// Random colours.
  case colorJitter(ColorJitter)
  /// Random operations of a common strength.
  case randAugment(RandAugment)
  /// Another size, the aspect kept.
  case letterbox(Letterbox)
  /// Random colours, as detectors are trained with.
  case photometricDistortion(PhotometricDistortion)
  /// Somewhere on a larger ground.
  case randomExpansion(RandomExpansion)
  /// A random part that shows an object.
  case overlapCrop(OverlapCrop)

  /// Whether the step draws random numbers.
  public var isRandom: Bool {
    switch self {
    case .resize, .centerCrop, .letterbox: false
    case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
      .photometricDistortion, .randomExpansion, .overlapCrop:
      true
    }
  }

  /// Applies the step.
  /// - Parameters:
  ///   - image: The image.
  ///   - random: Where a random step takes its numbers from.
  public func apply(to image: Image, random: inout RandomStream) throws(ImageError) -> Image {
    try applied(to: image, random: &random).image
  }

  /// Applies the step to an image, and moves the boxes of its target with it.
  ///
  /// What lies outside the image afterwards is cut off; a box whose centre lies outside, or of which
  /// nothing is left, is dropped. RandAugment leaves boxes where they are: pipelines for boxes do
  /// without it.
  public func apply(to sample: inout Sample, random: inout RandomStream) throws(ImageError) {
    // The one step for which it matters where the boxes are.
    if case .overlapCrop(let crop) = self { return crop.apply(to: &sample, random: &random) }
    let (image, motion) = try applied(to: sample.image, random: &random)
    sample.image = image
    if motion != ImageMotion(), case .boxes(let boxes) = sample.target {
      sample.target = .boxes(boxes.compactMap { motion.apply(to: $0, in: image.size) })
    }
  }

  private func applied(
    to image: Image, random: inout RandomStream
  ) throws(ImageError) -> (image: Image, motion: ImageMotion) {
    switch self {
    case .resize(let resize):
      let result = try resize.apply(to: image)
      return (result, .scaling(image.size.whole, to: result.size))
    case .centerCrop(let size):
      let (x, y) = image.size.center(size)
      return (image.window(x: x, y: y, size: size), .shift(x: -x, y: -y))
    case .randomCrop(let crop):
      let (x, y) = try crop.place(in: image.size, random: &random)
      return (image.window(x: x, y: y, size: crop.size), .shift(x: -x, y: -y))
    case .randomResizedCrop(let crop):
      let part = crop.rectangle(width: image.width, height: image.height, random: &random)
      return (crop.apply(to: image, part: part), .scaling(part, to: crop.size))
    case .horizontalFlip(let probability):
      guard random.chance(probability) else { return (image, ImageMotion()) }
      return (image.flippedHorizontally, .mirror(width: image.width))
    case .colorJitter(let jitter): return (jitter.apply(to: image, random: &random), ImageMotion())
    case .randAugment(let augment):
      return (augment.apply(to: image, random: &random), ImageMotion())
    case .letterbox(let letterbox):
      return (letterbox.apply(to: image), letterbox.motion(of: image.size))
    case .photometricDistortion(let distortion):
      return (distortion.apply(to: image, random: &random), ImageMotion())
    case .randomExpansion(let expansion):
      return expansion.applied(to: image, random: &random)
    case .overlapCrop:
      // An image without boxes stays whole.
      return (image, ImageMotion())
    }
  }
}

extension ImageTransform {
  /// Where the step moves the points of an image of a size, and the size that comes out; nil for a step
  /// that is random.
  func fixedMotion(of size: ImageSize) -> (ImageMotion, ImageSize)? {
    switch self {
    case .resize(let resize):
      let target = resize.targetSize(width: size.width, height: size.height)
      return (.scaling(size.whole, to: target), target)
    case .centerCrop(let part):
      let (x, y) = size.center(part)
      return (.shift(x: -x, y: -y), part)
    case .letterbox(let letterbox): return (letterbox.motion(of: size), letterbox.size)
    case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
      .photometricDistortion, .randomExpansion, .overlapCrop:
      return nil
    }
  }

  /// The size of the images that the step makes, where its settings say it: of a scaled shorter side,
  /// the square over it.
  package var statedSize: ImageSize? {
    switch self {
    case .resize(let resize): resize.size ?? resize.shorterSide.map { ImageSize($0) }
    case .centerCrop(let size): size
    case .randomCrop(let crop): crop.size
    case .randomResizedCrop(let crop): crop.size
    case .letterbox(let letterbox): letterbox.size
    case .horizontalFlip, .colorJitter, .randAugment, .photometricDistortion, .randomExpansion,
      .overlapCrop:
      nil
    }
  }
}

extension ImageTransform: Codable {
  private enum Name: String, CaseIterable {
    case resize, centerCrop, randomCrop, randomResizedCrop, horizontalFlip, colorJitter
    case randAugment, letterbox, photometricDistortion, randomExpansion, overlapCrop
  }

  private struct CenterCropSettings: Codable {
    var size: SizeSetting
    enum CodingKeys: String, CodingKey, CaseIterable { case size }
    init(size: SizeSetting) { self.size = size }
    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      size = try values.decode(SizeSetting.self, forKey: .size)
    }
  }

  private struct FlipSettings: Codable {
    var probability: Double
    enum CodingKeys: String, CodingKey, CaseIterable { case probability }
    init(probability: Double) { self.probability = probability }
    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      probability = try values.value(.probability, default: 0.5)
      guard probability >= 0 && probability <= 1 else {
        throw decoder.invalid("the probability must lie in 0 … 1")
      }
    }
  }

  /// Decodes a name with settings, or a name alone.
  public init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      switch text {
      case Name.horizontalFlip.rawValue: self = .horizontalFlip()
      case Name.randAugment.rawValue: self = .randAugment(RandAugment())
      case Name.photometricDistortion.rawValue:
        self = .photometricDistortion(PhotometricDistortion())
      case Name.randomExpansion.rawValue: self = .randomExpansion(RandomExpansion())
      case Name.overlapCrop.rawValue: self = .overlapCrop(OverlapCrop())
      default:
        throw decoder.invalid(
          Name(rawValue: text) == nil ? Self.unknown(text) : "the step '\(text)' needs settings")
      }
      return
    }
    let values = try decoder.container(keyedBy: AnyKey.self)
    guard let key = values.allKeys.first, values.allKeys.count == 1 else {
      throw decoder.invalid("a step has one key, its name")
    }
    switch Name(rawValue: key.stringValue) {
    case .resize: self = .resize(try values.decode(Resize.self, forKey: key))
    case .centerCrop:
      self = .centerCrop(try values.decode(CenterCropSettings.self, forKey: key).size.size)
    case .randomCrop: self = .randomCrop(try values.decode(RandomCrop.self, forKey: key))
    case .randomResizedCrop:
      self = .randomResizedCrop(try values.decode(RandomResizedCrop.self, forKey: key))
    case .horizontalFlip:
      self = .horizontalFlip(
        probability: try values.decode(FlipSettings.self, forKey: key).probability)
    case .colorJitter: self = .colorJitter(try values.decode(ColorJitter.self, forKey: key))
    case .randAugment: self = .randAugment(try values.decode(RandAugment.self, forKey: key))
    case .letterbox: self = .letterbox(try values.decode(Letterbox.self, forKey: key))
    case .photometricDistortion:
      self = .photometricDistortion(
        try values.decode(PhotometricDistortion.self, forKey: key))
    case .randomExpansion:
      self = .randomExpansion(try values.decode(RandomExpansion.self, forKey: key))
    case .overlapCrop: self = .overlapCrop(try values.decode(OverlapCrop.self, forKey: key))
    case nil: throw decoder.invalid(Self.unknown(key.stringValue))
    }
  }

  /// Encodes the name with all settings.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: AnyKey.self)
    switch self {
    case .resize(let step): try values.encode(step, forKey: AnyKey(Name.resize.rawValue))
    case .centerCrop(let size):
      try values.encode(
        CenterCropSettings(size: SizeSetting(size)), forKey: AnyKey(Name.centerCrop.rawValue))
    case .randomCrop(let step): try values.encode(step, forKey: AnyKey(Name.randomCrop.rawValue))
    case .randomResizedCrop(let step):
      try values.encode(step, forKey: AnyKey(Name.randomResizedCrop.rawValue))
    case .horizontalFlip(let probability):
      try values.encode(
        FlipSettings(probability: probability), forKey: AnyKey(Name.horizontalFlip.rawValue))
    case .colorJitter(let step): try values.encode(step, forKey: AnyKey(Name.colorJitter.rawValue))
    case .randAugment(let step): try values.encode(step, forKey: AnyKey(Name.randAugment.rawValue))
    case .letterbox(let step): try values.encode(step, forKey: AnyKey(Name.letterbox.rawValue))
    case .photometricDistortion(let step):
      try values.encode(step, forKey: AnyKey(Name.photometricDistortion.rawValue))
    case .randomExpansion(let step):
      try values.encode(step, forKey: AnyKey(Name.randomExpansion.rawValue))
    case .overlapCrop(let step):
      try values.encode(step, forKey: AnyKey(Name.overlapCrop.rawValue))
    }
  }

  private static func unknown(_ name: String) -> String {
    "unknown step '\(name)'; known are "
      + Name.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
