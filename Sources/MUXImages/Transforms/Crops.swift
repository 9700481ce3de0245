// SPDX-License-Identifier: Apache-2.0
public import MUXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Rounds halves to even, as Python's `round` does.
func roundedToEven(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }

extension Image {
  /// A window on the image at (x, y), which may reach beyond it; what lies outside gets `fill`.
  public func window(x: Int, y: Int, size: ImageSize, fill: UInt8 = 0) -> Image {
    let inside = max(0, x)..<max(0, x, min(width, x + size.width))
    return Image(width: size.width, height: size.height, channels: channels) { target in
      withPixels { source in
        let row = size.width * channels
        for line in 0..<size.height {
          let out = target + line * row
          let from = y + line
          guard from >= 0 && from < height && !inside.isEmpty else {
            out.update(repeating: fill, count: row)
            continue
          }
          let before = (inside.lowerBound - x) * channels
          let count = inside.count * channels
          out.update(repeating: fill, count: before)
          (out + before).update(
            from: source + (from * width + inside.lowerBound) * channels, count: count)
          (out + before + count).update(repeating: fill, count: row - before - count)
        }
      }
    }
  }

  /// The image mirrored left to right.
  public var flippedHorizontally: Image {
    Image(width: width, height: height, channels: channels) { target in
      withPixels { source in
        for y in 0..<height {
          let line = source + y * width * channels
          let out = target + y * width * channels
          if channels == 3 {
            var from = 3 * (width - 1)
            var to = 0
            while from >= 0 {
              out[to] = line[from]
              out[to &+ 1] = line[from &+ 1]
              out[to &+ 2] = line[from &+ 2]
              from &-= 3
              to &+= 3
            }
          } else {
            for x in 0..<width { out[x] = line[width &- 1 &- x] }
          }
        }
      }
    }
  }
}

extension ImageSize {
  /// Where the middle of a picture of this size begins; below 0 where it is too small (torchvision's
  /// `CenterCrop`).
  func center(_ part: ImageSize) -> (x: Int, y: Int) {
    func start(_ side: Int, _ part: Int) -> Int {
      side >= part ? roundedToEven(Double(side - part) / 2) : -((part - side) / 2)
    }
    return (start(width, part.width), start(height, part.height))
  }
}

/// A crop at a random place after padding with zeros (torchvision's `RandomCrop`).
public struct RandomCrop: Sendable, Hashable, Codable {
  /// The size of the crop in pixels; a padded image that is smaller is an error.
  public var size: ImageSize
  /// Rows and columns of zeros added on each side first.
  public var padding: Int

  /// Makes the transform.
  public init(size: ImageSize, padding: Int = 0) {
    self.size = size
    self.padding = padding
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case size, padding }

  /// Decodes the settings; `padding` is 0 unless given.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    self.init(
      size: try values.decode(SizeSetting.self, forKey: .size).size,
      padding: try values.value(.padding, default: 0))
    guard (0...1 << 16).contains(padding) else {
      throw decoder.invalid("the padding must lie in 0 … 65536")
    }
  }

  /// Encodes the settings.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(SizeSetting(size), forKey: .size)
    try values.encode(padding, forKey: .padding)
  }

  /// Crops an image.
  /// - Throws: `ImageError.tooSmall` if the padded image is smaller than the crop.
  public func apply(to image: Image, random: inout RandomStream) throws(ImageError) -> Image {
    let (x, y) = try place(in: image.size, random: &random)
    return image.window(x: x, y: y, size: size)
  }

  /// Draws where the crop begins in a picture of a size.
  func place(
    in whole: ImageSize, random: inout RandomStream
  ) throws(ImageError) -> (x: Int, y: Int) {
    let spareX = whole.width + 2 * padding - size.width
    let spareY = whole.height + 2 * padding - size.height
    guard spareX >= 0 && spareY >= 0 else {
      throw .tooSmall(
        width: whole.width, height: whole.height, neededWidth: size.width - 2 * padding,
        neededHeight: size.height - 2 * padding)
    }
    let y = random.below(spareY + 1) - padding
    let x = random.below(spareX + 1) - padding
    return (x, y)
  }
}

/// A crop of random area and aspect, resized: the "Inception" crop (torchvision's
/// `RandomResizedCrop`).
public struct RandomResizedCrop: Sendable, Hashable, Codable {
  /// The size of the result.
  public var size: ImageSize
  /// Least and greatest share of the image's area.
  public var scale: [Double]
  /// Least and greatest aspect, width over height; drawn uniformly in its logarithm.
  public var ratio: [Double]
  /// The filter.
  public var interpolation: Interpolation

  /// Makes the transform.
  public init(
    size: ImageSize, scale: ClosedRange<Double> = 0.08...1,
    ratio: ClosedRange<Double> = 0.75...4 / 3,
    interpolation: Interpolation = .bilinear
  ) {
    self.size = size
    self.scale = [scale.lowerBound, scale.upperBound]
    self.ratio = [ratio.lowerBound, ratio.upperBound]
    self.interpolation = interpolation
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case size, scale, ratio, interpolation
  }

  /// Decodes the settings; all but `size` have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let scale = try values.value(.scale, default: [0.08, 1])
    let ratio = try values.value(.ratio, default: [0.75, 4.0 / 3])
    guard scale.count == 2 && scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1 else {
      throw decoder.invalid("scale must be [least, greatest] within 0 … 1")
    }
    guard ratio.count == 2 && ratio[0] > 0 && ratio[0] <= ratio[1] && ratio[1].isFinite
    else {
      throw decoder.invalid("ratio must be [least, greatest], both positive")
    }
    self.init(
      size: try values.decode(SizeSetting.self, forKey: .size).size, scale: scale[0]...scale[1],
      ratio: ratio[0]...ratio[1],
      interpolation: try values.value(.interpolation, default: .bilinear))
  }

  /// Encodes the settings.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(SizeSetting(size), forKey: .size)
    try values.encode(scale, forKey: .scale)
    try values.encode(ratio, forKey: .ratio)
    try values.encode(interpolation, forKey: .interpolation)
  }

  /// The rectangle to cut out: ten draws, then the largest centre crop of an allowed aspect.
  public func rectangle(width: Int, height: Int, random: inout RandomStream) -> PixelRectangle {
    let area = Double(width * height)
    for _ in 0..<10 {
      let target = area * random.uniform(scale[0], scale[1])
      let aspect = exp(random.uniform(log(ratio[0]), log(ratio[1])))
      let w = roundedToEven((target * aspect).squareRoot())
      let h = roundedToEven((target / aspect).squareRoot())
      if w > 0 && w <= width && h > 0 && h <= height {
        let y = random.below(height - h + 1)
        let x = random.below(width - w + 1)
        return PixelRectangle(x: x, y: y, width: w, height: h)
      }
    }
    return fallback(width: width, height: height)
  }

  /// The crop after ten failed draws: the largest in the centre of an allowed aspect.
  package func fallback(width: Int, height: Int) -> PixelRectangle {
    var w = width
    var h = height
    let aspect = Double(width) / Double(height)
    if aspect < ratio[0] {
      h = min(height, max(1, roundedToEven(Double(w) / ratio[0])))
    } else if aspect > ratio[1] {
      w = min(width, max(1, roundedToEven(Double(h) * ratio[1])))
    }
    return PixelRectangle(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
  }

  /// Crops and resizes an image.
  public func apply(to image: Image, random: inout RandomStream) -> Image {
    apply(
      to: image, part: rectangle(width: image.width, height: image.height, random: &random))
  }

  /// Cuts out a rectangle and resizes it.
  func apply(to image: Image, part: PixelRectangle) -> Image {
    image.resized(
      width: size.width, height: size.height, interpolation: interpolation, rectangle: part)
  }
}
