// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A change of size, either of the shorter side (keeping the aspect) or to exact sides.
public struct Resize: Sendable, Hashable, Codable {
  /// The length that the shorter side gets; the longer one follows, rounded down.
  public var shorterSide: Int?
  /// The exact size, where the aspect may change.
  public var size: ImageSize?
  /// The filter.
  public var interpolation: Interpolation

  /// Gives the shorter side a length and keeps the aspect.
  public init(shorterSide: Int, interpolation: Interpolation = .bilinear) {
    self.shorterSide = shorterSide
    self.interpolation = interpolation
  }

  /// Makes the size exact.
  public init(size: ImageSize, interpolation: Interpolation = .bilinear) {
    self.size = size
    self.interpolation = interpolation
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case shorterSide, size, interpolation
  }

  /// Decodes the settings; exactly one of `shorterSide` and `size` must be there.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    shorterSide = try values.decodeIfPresent(Int.self, forKey: .shorterSide)
    size = try values.decodeIfPresent(SizeSetting.self, forKey: .size)?.size
    interpolation = try values.value(.interpolation, default: .bilinear)
    guard (shorterSide == nil) != (size == nil) else {
      throw decoder.invalid("give either shorterSide or size")
    }
    guard (1...1 << 16).contains(shorterSide ?? 1) else {
      throw decoder.invalid("shorterSide must lie in 1 … 65536")
    }
  }

  /// Encodes the settings.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encodeIfPresent(shorterSide, forKey: .shorterSide)
    try values.encodeIfPresent(size.map(SizeSetting.init), forKey: .size)
    try values.encode(interpolation, forKey: .interpolation)
  }

  /// The size that an image of the given size gets.
  func targetSize(width: Int, height: Int) -> ImageSize {
    if let size { return size }
    guard let side = shorterSide else { return ImageSize(height: height, width: width) }
    return width <= height
      ? ImageSize(height: max(1, side * height / width), width: side)
      : ImageSize(height: side, width: max(1, side * width / height))
  }

  /// A result of more pixels than this is refused: scaling the shorter side of a strip makes the
  /// longer one of any length. A pipeline that cuts out a part next is not affected.
  public static let pixelLimit = 1 << 26

  /// Resizes an image.
  /// - Throws: `ImageError.scaledTooLarge` for more than ``pixelLimit`` pixels.
  public func apply(to image: Image) throws(ImageError) -> Image {
    let target = targetSize(width: image.width, height: image.height)
    let (pixels, overflow) = target.width.multipliedReportingOverflow(by: target.height)
    guard !overflow && pixels <= Self.pixelLimit else {
      throw .scaledTooLarge(
        width: image.width, height: image.height, size: target, limit: Self.pixelLimit)
    }
    return image.resized(
      width: target.width, height: target.height, interpolation: interpolation)
  }
}
