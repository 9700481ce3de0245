// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The image as large as it fits into a size with its aspect kept, in the middle, on a ground of one
/// colour.
public struct Letterbox: Sendable, Hashable, Codable {
  /// The size of the result.
  public var size: ImageSize
  /// The ground: one value for each channel, or one for all; by default the mean of ImageNet.
  public var fill: [UInt8]
  /// The filter.
  public var interpolation: Interpolation

  /// Makes the transform.
  public init(
    size: ImageSize, fill: [UInt8] = [124, 116, 104], interpolation: Interpolation = .bilinear
  ) {
    precondition(fill.count == 1 || fill.count == 3, "a colour has 1 or 3 values")
    self.size = size
    self.fill = fill
    self.interpolation = interpolation
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case size, fill, interpolation }

  /// Decodes the settings; only `size` is needed.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let fill = try values.value(.fill, default: [124, 116, 104] as [UInt8])
    guard fill.count == 1 || fill.count == 3 else {
      throw decoder.invalid("fill must have 1 or 3 values")
    }
    self.init(
      size: try values.decode(SizeSetting.self, forKey: .size).size, fill: fill,
      interpolation: try values.value(.interpolation, default: .bilinear))
  }

  /// Writes the settings.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(SizeSetting(size), forKey: .size)
    try values.encode(fill, forKey: .fill)
    try values.encode(interpolation, forKey: .interpolation)
  }

  /// Where an image of a size comes to stand.
  func place(of image: ImageSize) -> PixelRectangle {
    let scale = min(
      Double(size.width) / Double(image.width), Double(size.height) / Double(image.height))
    let width = min(size.width, max(1, Int((Double(image.width) * scale).rounded())))
    let height = min(size.height, max(1, Int((Double(image.height) * scale).rounded())))
    return PixelRectangle(
      x: (size.width - width) / 2, y: (size.height - height) / 2, width: width, height: height)
  }

  /// Where the points of an image of a size go.
  func motion(of image: ImageSize) -> ImageMotion {
    let place = place(of: image)
    return ImageMotion.scaling(
      image.whole, to: ImageSize(height: place.height, width: place.width)
    ).followed(by: .shift(x: place.x, y: place.y))
  }

  /// Applies the transform.
  public func apply(to image: Image) -> Image {
    let place = place(of: image.size)
    return image.resized(
      width: place.width, height: place.height, interpolation: interpolation
    ).placed(x: place.x, y: place.y, on: size, fill: fill)
  }
}

extension Image {
  /// The image on a larger ground of one colour, of which what there is of channels is taken.
  func placed(x: Int, y: Int, on size: ImageSize, fill: [UInt8]) -> Image {
    let colour = fill.count == channels ? fill : Self.converted(fill, toChannels: channels)
    return Image(width: size.width, height: size.height, channels: channels) { target in
      for pixel in 0..<size.width * size.height {
        for channel in 0..<channels { target[pixel * channels + channel] = colour[channel] }
      }
      withPixels { source in
        for row in 0..<height {
          (target + ((y + row) * size.width + x) * channels).update(
            from: source + row * width * channels, count: width * channels)
        }
      }
    }
  }

  private static func converted(_ colour: [UInt8], toChannels count: Int) -> [UInt8] {
    count == 3 ? [colour[0], colour[0], colour[0]] : [luma(colour[0], colour[1], colour[2])]
  }
}
