// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Random operations of a common strength (Cubuk et al., "RandAugment"), with the operations and
/// ranges of timm's `rand-m9-mstd0.5` line.
public struct RandAugment: Sendable, Hashable, Codable {
  /// One operation.
  public enum Operation: String, Sendable, Hashable, Codable, CaseIterable {
    /// Stretches each channel to 0 … 255.
    case autoContrast
    /// Spreads the values evenly.
    case equalize
    /// Subtracts the values from 255.
    case invert
    /// Turns by up to 30°.
    case rotate
    /// Keeps up to 4 high bits.
    case posterize
    /// Inverts the values from a threshold on.
    case solarize
    /// Adds up to 110 to dark values.
    case solarizeAdd
    /// Changes the saturation.
    case color
    /// Changes the contrast.
    case contrast
    /// Changes the brightness.
    case brightness
    /// Changes the sharpness.
    case sharpness
    /// Shears by up to 0.3 along x.
    case shearX
    /// Shears by up to 0.3 along y.
    case shearY
    /// Shifts by up to 45 % along x.
    case translateX
    /// Shifts by up to 45 % along y.
    case translateY
  }

  /// How many operations are drawn for an image, with replacement.
  public var operations: Int
  /// The strength m, 0 … 10.
  public var magnitude: Double
  /// The standard deviation of the strength, drawn anew for each operation.
  public var magnitudeDeviation: Double
  /// How often a drawn operation is applied.
  public var probability: Double
  /// Whether posterize, solarize and the colour operations grow stronger with m (timm's `inc1`);
  /// false is timm's default, where for example a higher m keeps more bits.
  public var isIncreasing: Bool
  /// The colour of what comes into view, by default the mean of ImageNet.
  public var fill: [UInt8]
  /// One of these is drawn for each geometric operation.
  public var interpolations: [Interpolation]
  /// What is drawn from.
  public var choices: [Operation]

  /// Makes the transform.
  public init(
    operations: Int = 2, magnitude: Double = 9, magnitudeDeviation: Double = 0.5,
    probability: Double = 0.5, isIncreasing: Bool = false, fill: [UInt8] = [124, 116, 104],
    interpolations: [Interpolation] = [.bilinear, .bicubic],
    choices: [Operation] = Operation.allCases
  ) {
    precondition(
      operations >= 0 && !fill.isEmpty && !interpolations.isEmpty && !choices.isEmpty,
      "RandAugment needs a fill colour, an interpolation and a choice")
    self.operations = operations
    self.magnitude = magnitude
    self.magnitudeDeviation = magnitudeDeviation
    self.probability = probability
    self.isIncreasing = isIncreasing
    self.fill = fill
    self.interpolations = interpolations
    self.choices = choices
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case operations, magnitude, magnitudeDeviation, probability, isIncreasing, fill
    case interpolations, choices
  }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let defaults = RandAugment()
    let operations = try values.value(.operations, default: defaults.operations)
    let magnitude = try values.value(.magnitude, default: defaults.magnitude)
    let deviation = try values.value(.magnitudeDeviation, default: defaults.magnitudeDeviation)
    let probability = try values.value(.probability, default: defaults.probability)
    let fill = try values.value(.fill, default: defaults.fill)
    let interpolations = try values.value(.interpolations, default: defaults.interpolations)
    let choices = try values.value(.choices, default: defaults.choices)
    guard operations >= 0, magnitude >= 0, magnitude <= 10, deviation >= 0, deviation.isFinite,
      probability >= 0,
      probability <= 1, fill.count == 1 || fill.count == 3, !interpolations.isEmpty,
      !choices.isEmpty
    else {
      throw decoder.invalid(
        "magnitude must lie in 0 … 10, probability in 0 … 1, fill have 1 or 3 values, and"
          + " interpolations and choices not be empty")
    }
    self.init(
      operations: operations, magnitude: magnitude, magnitudeDeviation: deviation,
      probability: probability,
      isIncreasing: try values.value(.isIncreasing, default: defaults.isIncreasing), fill: fill,
      interpolations: interpolations, choices: choices)
  }

  /// Applies random operations to an image.
  public func apply(to image: Image, random: inout RandomStream) -> Image {
    var result = image
    for _ in 0..<operations {
      let operation = choices[random.below(choices.count)]
      guard random.chance(probability) else { continue }
      var level = magnitude
      if magnitudeDeviation > 0 { level += magnitudeDeviation * random.normal() }
      level = min(10, max(0, level))
      let sign = random.chance(0.5) ? -1.0 : 1.0
      let interpolation = interpolations[random.below(interpolations.count)]
      result = apply(
        operation, to: result, level: level, sign: sign, interpolation: interpolation)
    }
    return result
  }

  /// Applies one operation of a given strength.
  /// - Parameters:
  ///   - operation: The operation.
  ///   - image: The image.
  ///   - level: The strength, 0 … 10.
  ///   - sign: 1 or −1, the direction of geometric operations.
  ///   - interpolation: The filter of geometric operations.
  public func apply(
    _ operation: Operation, to image: Image, level: Double, sign: Double = 1,
    interpolation: Interpolation = .bilinear
  ) -> Image {
    let share = level / 10
    func shifted(
      xy: Double = 0, x0: Double = 0, yx: Double = 0, y0: Double = 0
    ) -> Image {
      image.transformed(
        xx: 1, xy: sign * xy, x0: sign * x0, yx: sign * yx, yy: 1, y0: sign * y0,
        interpolation: interpolation, fill: fill)
    }
    let factor = Float(isIncreasing ? max(0.1, 1 + sign * 0.9 * share) : 0.1 + 1.8 * share)
    switch operation {
    case .autoContrast: return image.autoContrasted()
    case .equalize: return image.equalized()
    case .invert: return image.inverted()
    case .rotate:
      return image.rotated(degrees: sign * 30 * share, interpolation: interpolation, fill: fill)
    case .posterize:
      let bits = Int(4 * share)
      return image.posterized(bits: isIncreasing ? 4 - bits : bits)
    case .solarize:
      let threshold = min(256, Int(256 * share))
      return image.solarized(threshold: isIncreasing ? 256 - threshold : threshold)
    case .solarizeAdd: return image.solarizeAdded(min(128, Int(110 * share)))
    case .color: return image.adjustingSaturation(factor)
    case .contrast: return image.adjustingContrast(factor)
    case .brightness: return image.adjustingBrightness(factor)
    case .sharpness: return image.adjustingSharpness(factor)
    case .shearX: return shifted(xy: 0.3 * share)
    case .shearY: return shifted(yx: 0.3 * share)
    case .translateX: return shifted(x0: 0.45 * share * Double(image.width))
    case .translateY: return shifted(y0: 0.45 * share * Double(image.height))
    }
  }
}
