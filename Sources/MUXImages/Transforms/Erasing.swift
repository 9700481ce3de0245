// SPDX-License-Identifier: Apache-2.0
public import MUXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Wipes random rectangles of the normalised image (Zhong et al., "Random Erasing", as in timm).
public struct RandomErasing: Sendable, Hashable, Codable {
  /// What the rectangle is filled with.
  public enum Fill: String, Sendable, Hashable, Codable, CaseIterable {
    /// Zeros, the mean colour.
    case constant
    /// A normal random number for each value.
    case pixel
  }

  /// How often an image is changed at all.
  public var probability: Double
  /// Least and greatest share of the image's area.
  public var area: [Double]
  /// The least aspect; the greatest is its inverse.
  public var leastAspect: Double
  /// What the rectangle is filled with.
  public var fill: Fill

  /// Makes the step.
  public init(
    probability: Double = 0.5, area: ClosedRange<Double> = 0.02...1.0 / 3,
    leastAspect: Double = 0.3, fill: Fill = .constant
  ) {
    self.probability = probability
    self.area = [area.lowerBound, area.upperBound]
    self.leastAspect = leastAspect
    self.fill = fill
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case probability, area, leastAspect, fill
  }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let area = try values.value(.area, default: [0.02, 1.0 / 3])
    guard area.count == 2 && area[0] > 0 && area[0] <= area[1] && area[1] <= 1 else {
      throw decoder.invalid("area must be [least, greatest] within 0 … 1")
    }
    self.init(
      probability: try values.value(.probability, default: 0.5), area: area[0]...area[1],
      leastAspect: try values.value(.leastAspect, default: 0.3),
      fill: try values.value(.fill, default: .constant))
    guard probability >= 0 && probability <= 1 && leastAspect > 0 && leastAspect <= 1 else {
      throw decoder.invalid("probability and leastAspect must lie in 0 … 1")
    }
  }

  /// The rectangle to wipe, or nil if the draw leaves the image alone or ten tries fail.
  public func rectangle(width: Int, height: Int, random: inout RandomStream) -> PixelRectangle? {
    guard random.chance(probability) else { return nil }
    for _ in 0..<10 {
      let target = Double(width * height) * random.uniform(area[0], area[1])
      let aspect = exp(random.uniform(log(leastAspect), -log(leastAspect)))
      let h = roundedToEven((target * aspect).squareRoot())
      let w = roundedToEven((target / aspect).squareRoot())
      if w > 0 && h > 0 && w < width && h < height {
        let y = random.below(height - h + 1)
        return PixelRectangle(x: random.below(width - w + 1), y: y, width: w, height: h)
      }
    }
    return nil
  }
}

/// Zeros in a square around a random centre, which may reach over the border (DeVries and Taylor,
/// "Cutout").
public struct Cutout: Sendable, Hashable, Codable {
  /// The side of the square in pixels.
  public var length: Int

  /// Makes the step.
  public init(length: Int) { self.length = length }

  private enum CodingKeys: String, CodingKey, CaseIterable { case length }

  /// Decodes the settings.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    length = try values.decode(Int.self, forKey: .length)
    guard length > 0 else { throw decoder.invalid("length must be positive") }
  }

  /// The part of the square that lies in the image.
  public func rectangle(width: Int, height: Int, random: inout RandomStream) -> PixelRectangle {
    let y = random.below(height)
    let x = random.below(width)
    let top = max(0, y - length / 2)
    let left = max(0, x - length / 2)
    let bottom = min(height, y + length / 2)
    let right = min(width, x + length / 2)
    return PixelRectangle(x: left, y: top, width: right - left, height: bottom - top)
  }
}
