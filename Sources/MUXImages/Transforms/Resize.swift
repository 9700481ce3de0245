// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A change of size, either of the shorter side (keeping the aspect) or to exact sides.
public struct Resize: Sendable, Hashable, Codable {
  /// The length that the shorter side gets; the longer one follows, rounded down.
  public var shorterSide: Int?
  /// The exact size, where the aspect may change.
  public var size: PixelSize?
  /// The filter.
  public var interpolation: Interpolation

  /// Gives the shorter side a length and keeps the aspect.
  public init(shorterSide: Int, interpolation: Interpolation = .bilinear) {
    self.shorterSide = shorterSide
    self.interpolation = interpolation
  }

  /// Makes the size exact.
  public init(size: PixelSize, interpolation: Interpolation = .bilinear) {
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
    size = try values.decodeIfPresent(PixelSize.self, forKey: .size)
    interpolation = try values.value(.interpolation, default: .bilinear)
    guard (shorterSide == nil) != (size == nil) else {
      throw decoder.invalid("give either shorterSide or size")
    }
    guard (1...1 << 16).contains(shorterSide ?? 1) else {
      throw decoder.invalid("shorterSide must be positive and at most 65536")
    }
  }

  /// The size that an image of the given size gets.
  public func targetSize(width: Int, height: Int) -> PixelSize {
    if let size { return size }
    guard let side = shorterSide else { return PixelSize(width: width, height: height) }
    func longer(_ own: Int, _ other: Int) -> Int {
      let (product, overflow) = side.multipliedReportingOverflow(by: own)
      return overflow ? .max : max(1, product / other)
    }
    return width <= height
      ? PixelSize(width: side, height: longer(height, width))
      : PixelSize(width: longer(width, height), height: side)
  }

  /// Resizes an image.
  public func apply(to image: Image) -> Image {
    let target = targetSize(width: image.width, height: image.height)
    return image.resized(
      width: target.width, height: target.height, interpolation: interpolation)
  }

  /// Makes sure that the result is not larger than an image may be: of an image that is one pixel wide
  /// and many high, the shorter side may be scaled by any factor.
  func check(_ image: Image) throws(ImageError) {
    let target = targetSize(width: image.width, height: image.height)
    let (pixels, overflow) = target.width.multipliedReportingOverflow(by: target.height)
    guard !overflow, pixels <= Image.mostPixels else {
      throw .scaledTooLarge(width: target.width, height: target.height, limit: Image.mostPixels)
    }
  }

  /// What resizing and then cutting out the middle gives, without making the rest; nil where the
  /// middle reaches beyond the resized image.
  func apply(to image: Image, centerCroppedTo size: PixelSize) -> Image? {
    let target = targetSize(width: image.width, height: image.height)
    guard size.width <= target.width, size.height <= target.height else { return nil }
    return image.resized(
      width: target.width, height: target.height, interpolation: interpolation,
      window: PixelRectangle(
        x: roundedToEven(Double(target.width - size.width) / 2),
        y: roundedToEven(Double(target.height - size.height) / 2), width: size.width,
        height: size.height))
  }
}
