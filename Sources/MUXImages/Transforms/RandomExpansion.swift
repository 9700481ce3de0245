// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The image somewhere on a larger ground of one colour, so that what it shows becomes smaller.
public struct RandomExpansion: Sendable, Hashable, Codable {
  /// How often it happens.
  public var probability: Double
  /// The sides of the ground are those of the image times a number drawn from 1 to this.
  public var largest: Double
  /// The ground: one value for each channel, or one for all; by default the mean of ImageNet.
  public var fill: [UInt8]

  /// Makes the transform.
  public init(
    probability: Double = 0.5, largest: Double = 4, fill: [UInt8] = [124, 116, 104]
  ) {
    precondition(fill.count == 1 || fill.count == 3, "a colour has 1 or 3 values")
    self.probability = probability
    self.largest = largest
    self.fill = fill
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case probability, largest, fill }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let probability = try values.value(.probability, default: 0.5)
    let largest = try values.value(.largest, default: 4.0)
    let fill = try values.value(.fill, default: [124, 116, 104] as [UInt8])
    guard 0 <= probability, probability <= 1, 1 <= largest, largest <= 16,
      fill.count == 1 || fill.count == 3
    else {
      throw decoder.invalid(
        "probability must lie in 0…1, largest in 1…16, and fill have 1 or 3 values")
    }
    self.init(probability: probability, largest: largest, fill: fill)
  }

  /// Draws the size of the ground and where on it an image of a size stands; nil for none.
  func place(
    of image: ImageSize, random: inout RandomStream
  ) -> (size: ImageSize, x: Int, y: Int)? {
    guard random.chance(probability) else { return nil }
    let ratio = random.uniform(1, largest)
    let (width, height) = (Double(image.width) * ratio, Double(image.height) * ratio)
    let x = Int(random.uniform(0, width - Double(image.width)))
    let y = Int(random.uniform(0, height - Double(image.height)))
    // The truncated sides hold the truncated place.
    let size = ImageSize(
      height: max(Int(height), y + image.height), width: max(Int(width), x + image.width))
    guard size.width <= 1 << 16, size.height <= 1 << 16,
      size.width * size.height <= Resize.pixelLimit
    else { return nil }
    return (size, x, y)
  }

  /// Applies the transform to an image.
  func applied(
    to image: Image, random: inout RandomStream
  ) -> (image: Image, motion: ImageMotion) {
    guard let (size, x, y) = place(of: image.size, random: &random) else {
      return (image, ImageMotion())
    }
    return (image.placed(x: x, y: y, on: size, fill: fill), .shift(x: x, y: y))
  }
}
