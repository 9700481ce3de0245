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
  case centerCrop(PixelSize)
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

  /// Whether the step draws random numbers.
  public var isRandom: Bool {
    switch self {
    case .resize, .centerCrop: false
    case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment: true
    }
  }

  /// Applies the step.
  /// - Parameters:
  ///   - image: The image.
  ///   - random: Where a random step takes its numbers from.
  public func apply(to image: Image, random: inout RandomStream) throws(ImageError) -> Image {
    switch self {
    case .resize(let resize): try resize.apply(to: image)
    case .centerCrop(let size): image.centerCropped(to: size)
    case .randomCrop(let crop): try crop.apply(to: image, random: &random)
    case .randomResizedCrop(let crop): crop.apply(to: image, random: &random)
    case .horizontalFlip(let probability):
      random.chance(probability) ? image.flippedHorizontally : image
    case .colorJitter(let jitter): jitter.apply(to: image, random: &random)
    case .randAugment(let augment): augment.apply(to: image, random: &random)
    }
  }
}

extension ImageTransform {
  /// The size of the images that the step makes, where its settings say it: of a scaled shorter side,
  /// the square over it.
  package var statedSize: PixelSize? {
    switch self {
    case .resize(let resize): resize.size ?? resize.shorterSide.map { PixelSize($0) }
    case .centerCrop(let size): size
    case .randomCrop(let crop): crop.size
    case .randomResizedCrop(let crop): crop.size
    case .horizontalFlip, .colorJitter, .randAugment: nil
    }
  }
}

extension ImageTransform: Codable {
  private enum Name: String, CaseIterable {
    case resize, centerCrop, randomCrop, randomResizedCrop, horizontalFlip, colorJitter
    case randAugment
  }

  private struct CenterCropSettings: Codable {
    var size: PixelSize
    enum CodingKeys: String, CodingKey, CaseIterable { case size }
    init(size: PixelSize) { self.size = size }
    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      size = try values.decode(PixelSize.self, forKey: .size)
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
      self = .centerCrop(try values.decode(CenterCropSettings.self, forKey: key).size)
    case .randomCrop: self = .randomCrop(try values.decode(RandomCrop.self, forKey: key))
    case .randomResizedCrop:
      self = .randomResizedCrop(try values.decode(RandomResizedCrop.self, forKey: key))
    case .horizontalFlip:
      self = .horizontalFlip(
        probability: try values.decode(FlipSettings.self, forKey: key).probability)
    case .colorJitter: self = .colorJitter(try values.decode(ColorJitter.self, forKey: key))
    case .randAugment: self = .randAugment(try values.decode(RandAugment.self, forKey: key))
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
        CenterCropSettings(size: size), forKey: AnyKey(Name.centerCrop.rawValue))
    case .randomCrop(let step): try values.encode(step, forKey: AnyKey(Name.randomCrop.rawValue))
    case .randomResizedCrop(let step):
      try values.encode(step, forKey: AnyKey(Name.randomResizedCrop.rawValue))
    case .horizontalFlip(let probability):
      try values.encode(
        FlipSettings(probability: probability), forKey: AnyKey(Name.horizontalFlip.rawValue))
    case .colorJitter(let step): try values.encode(step, forKey: AnyKey(Name.colorJitter.rawValue))
    case .randAugment(let step): try values.encode(step, forKey: AnyKey(Name.randAugment.rawValue))
    }
  }

  private static func unknown(_ name: String) -> String {
    "unknown step '\(name)'; known are "
      + Name.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
