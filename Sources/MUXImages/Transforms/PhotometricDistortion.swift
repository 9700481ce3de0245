// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Random brightness, contrast, saturation and hue, and colours that change places: what detectors of the
/// SSD kind are trained with.
///
/// Each happens with a probability of its own draw. Contrast comes before or after saturation and hue, by
/// lot. Values are kept within 0…255 after each step, as in the original code; they are rounded once, at
/// the end.
public struct PhotometricDistortion: Sendable, Hashable, Codable {
  /// How often each of the changes happens.
  public var probability: Double
  /// Brightness: the most that is added or taken, of 255.
  public var brightness: Double
  /// Contrast: all values are multiplied by 1 ± this at most.
  public var contrast: Double
  /// Saturation is multiplied by 1 ± this at most.
  public var saturation: Double
  /// Hue is turned by this many degrees at most.
  public var hue: Double
  /// How often the colours change places.
  public var permutation: Double

  /// Makes the transform.
  public init(
    probability: Double = 0.5, brightness: Double = 32, contrast: Double = 0.5,
    saturation: Double = 0.5, hue: Double = 18, permutation: Double = 0.5
  ) {
    self.probability = probability
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
    self.permutation = permutation
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case probability, brightness, contrast, saturation, hue, permutation
  }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let usual = PhotometricDistortion()
    self.init(
      probability: try values.value(.probability, default: usual.probability),
      brightness: try values.value(.brightness, default: usual.brightness),
      contrast: try values.value(.contrast, default: usual.contrast),
      saturation: try values.value(.saturation, default: usual.saturation),
      hue: try values.value(.hue, default: usual.hue),
      permutation: try values.value(.permutation, default: usual.permutation))
    guard [probability, contrast, saturation, permutation].allSatisfy({ 0 <= $0 && $0 <= 1 }),
      0 <= brightness, brightness <= 255, 0 <= hue, hue <= 180
    else {
      throw decoder.invalid(
        "probability, contrast, saturation and permutation must lie in 0…1, brightness in 0…255,"
          + " hue in 0…180")
    }
  }

  /// What is done to one image.
  package struct Change: Sendable, Hashable {
    package var brightness: Float = 0
    package var contrast: Float = 1
    package var isContrastFirst = true
    package var saturation: Float = 1
    package var hueDegrees: Float = 0
    /// Which channel comes first, second and third.
    package var channelOrder = [0, 1, 2]

    package init() {}

    /// The colour of a pixel afterwards, each value 0…255.
    package func apply(to colour: (Float, Float, Float)) -> (Float, Float, Float) {
      func limited(_ value: Float) -> Float { min(max(value, 0), 255) }
      var (red, green, blue) = (
        limited(colour.0 + brightness), limited(colour.1 + brightness),
        limited(colour.2 + brightness)
      )
      func multiply() {
        (red, green, blue) = (
          limited(red * contrast), limited(green * contrast), limited(blue * contrast)
        )
      }
      if isContrastFirst { multiply() }
      if saturation != 1 || hueDegrees != 0 {
        (red, green, blue) = Self.turned((red, green, blue), saturation, hueDegrees)
      }
      if !isContrastFirst { multiply() }
      let values = [red, green, blue]
      return (values[channelOrder[0]], values[channelOrder[1]], values[channelOrder[2]])
    }

    /// The colour with another saturation, of at most 1, and another hue.
    private static func turned(
      _ colour: (Float, Float, Float), _ saturation: Float, _ degrees: Float
    ) -> (Float, Float, Float) {
      let (red, green, blue) = colour
      let value = max(red, green, blue), spread = value - min(red, green, blue)
      guard spread > 0 else { return colour }
      var hue: Float
      if value == red {
        hue = (green - blue) / spread
      } else if value == green {
        hue = 2 + (blue - red) / spread
      } else {
        hue = 4 + (red - green) / spread
      }
      // In sixths of the circle, 0 ..< 6.
      hue = (hue + degrees / 60).truncatingRemainder(dividingBy: 6)
      if hue < 0 { hue += 6 }
      let share = min(spread / value * saturation, 1)
      let sector = min(Int(hue), 5)
      let part = hue - Float(sector)
      let low = value * (1 - share)
      let falling = value * (1 - share * part), rising = value * (1 - share * (1 - part))
      switch sector {
      case 0: return (value, rising, low)
      case 1: return (falling, value, low)
      case 2: return (low, value, rising)
      case 3: return (low, falling, value)
      case 4: return (rising, low, value)
      default: return (value, low, falling)
      }
    }
  }

  /// Draws what is done to an image.
  func change(random: inout RandomStream) -> Change {
    var change = Change()
    func factor(_ strength: Double) -> Float { Float(random.uniform(1 - strength, 1 + strength)) }
    if random.chance(probability) {
      change.brightness = Float(random.uniform(-brightness, brightness))
    }
    change.isContrastFirst = random.chance(0.5)
    if random.chance(probability) { change.contrast = factor(contrast) }
    if random.chance(probability) { change.saturation = factor(saturation) }
    if random.chance(probability) { change.hueDegrees = Float(random.uniform(-hue, hue)) }
    if random.chance(permutation) { change.channelOrder = random.permutation(3) }
    return change
  }

  /// Changes the colours of an image; of a grey one, brightness and contrast.
  public func apply(to image: Image, random: inout RandomStream) -> Image {
    let change = change(random: &random)
    let step = image.channels
    return Image(width: image.width, height: image.height, channels: step) { target in
      image.withPixels { source in
        for place in stride(from: 0, to: image.width * image.height * step, by: step) {
          let (first, second, third) = (
            Float(source[place]), Float(source[place + step / 2]), Float(source[place + step - 1])
          )
          let result = change.apply(to: (first, second, third))
          target[place] = UInt8(result.0.rounded())
          if step == 3 {
            target[place + 1] = UInt8(result.1.rounded())
            target[place + 2] = UInt8(result.2.rounded())
          }
        }
      }
    }
  }
}
