// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// An image between the steps of a pipeline. A change of size waits for what follows it: if that cuts
/// out a part, only the part is computed, with the pixels and the random numbers that the steps give
/// one by one.
struct PictureAtWork {
  private var image: Image
  /// The change of size that waits.
  private var resize: Resize?
  /// Whether left and right are exchanged after it.
  private var isMirrored = false

  init(_ image: Image) { self.image = image }

  /// Applies a step, or notes it.
  mutating func apply(
    _ step: ImageTransform, random: inout RandomStream
  ) throws(ImageError) {
    switch step {
    case .resize(let next):
      image = try result()
      resize = next
      isMirrored = false
    case .horizontalFlip(let probability) where resize != nil:
      if random.chance(probability) { isMirrored.toggle() }
    case .centerCrop(let size):
      let (x, y) = self.size.center(size)
      cut(x: x, y: y, size: size)
    case .randomCrop(let crop):
      let (x, y) = try crop.place(in: size, random: &random)
      cut(x: x, y: y, size: crop.size)
    case .horizontalFlip, .randomResizedCrop, .colorJitter, .randAugment, .letterbox,
      .photometricDistortion, .randomExpansion, .overlapCrop:
      image = try step.apply(to: result(), random: &random)
      resize = nil
      isMirrored = false
    }
  }

  /// The image after all steps.
  func result() throws(ImageError) -> Image {
    guard let resize else { return image }
    let scaled = try resize.apply(to: image)
    return isMirrored ? scaled.flippedHorizontally : scaled
  }

  private var size: ImageSize {
    resize?.targetSize(width: image.width, height: image.height)
      ?? ImageSize(height: image.height, width: image.width)
  }

  /// Cuts out a window, which may reach beyond the image.
  private mutating func cut(x: Int, y: Int, size part: ImageSize) {
    guard let resize else {
      image = image.window(x: x, y: y, size: part)
      return
    }
    let whole = size
    let x = isMirrored ? whole.width - x - part.width : x
    let left = max(0, x)
    let top = max(0, y)
    let inside = PixelRectangle(
      x: left, y: top, width: min(whole.width, x + part.width) - left,
      height: min(whole.height, y + part.height) - top)
    if inside.width > 0 && inside.height > 0 {
      image = image.resized(
        width: whole.width, height: whole.height, interpolation: resize.interpolation,
        window: inside
      ).window(x: x - left, y: y - top, size: part)
    } else {
      image = Image(
        width: part.width, height: part.height, color: [UInt8](repeating: 0, count: image.channels))
    }
    if isMirrored { image = image.flippedHorizontally }
    self.resize = nil
    isMirrored = false
  }
}
