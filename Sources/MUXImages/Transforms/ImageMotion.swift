// SPDX-License-Identifier: Apache-2.0

/// Where a step moves the points of an image: x′ = scaleX · x + shiftX, and y alike.
package struct ImageMotion: Sendable, Hashable {
  package var scaleX = 1.0
  package var scaleY = 1.0
  package var shiftX = 0.0
  package var shiftY = 0.0

  /// By whole pixels.
  static func shift(x: Int, y: Int) -> ImageMotion {
    ImageMotion(shiftX: Double(x), shiftY: Double(y))
  }

  /// A part of the image becomes all of it, at another size.
  package static func scaling(_ part: PixelRectangle, to size: ImageSize) -> ImageMotion {
    let x = Double(size.width) / Double(part.width)
    let y = Double(size.height) / Double(part.height)
    return ImageMotion(
      scaleX: x, scaleY: y, shiftX: -x * Double(part.x), shiftY: -y * Double(part.y))
  }

  /// Left and right change places.
  static func mirror(width: Int) -> ImageMotion {
    ImageMotion(scaleX: -1, shiftX: Double(width))
  }

  /// This step, then another one.
  package func followed(by next: ImageMotion) -> ImageMotion {
    ImageMotion(
      scaleX: next.scaleX * scaleX, scaleY: next.scaleY * scaleY,
      shiftX: next.scaleX * shiftX + next.shiftX, shiftY: next.scaleY * shiftY + next.shiftY)
  }

  /// The way back.
  package var inverse: ImageMotion {
    ImageMotion(
      scaleX: 1 / scaleX, scaleY: 1 / scaleY, shiftX: -shiftX / scaleX, shiftY: -shiftY / scaleY)
  }

  /// The box after the step, cut off at the border of the new image; nil where its centre lies outside
  /// or nothing is left of it.
  package func apply(to box: LabeledBox, in size: ImageSize) -> LabeledBox? {
    let (width, height) = (Double(size.width), Double(size.height))
    let xs = [box.left, box.right].map { scaleX * $0 + shiftX }.sorted()
    let ys = [box.top, box.bottom].map { scaleY * $0 + shiftY }.sorted()
    let center = (x: (xs[0] + xs[1]) / 2, y: (ys[0] + ys[1]) / 2)
    guard center.x >= 0, center.x <= width, center.y >= 0, center.y <= height else { return nil }
    var result = box
    result.left = max(xs[0], 0)
    result.right = min(xs[1], width)
    result.top = max(ys[0], 0)
    result.bottom = min(ys[1], height)
    result.area = box.area.map { $0 * abs(scaleX * scaleY) }
    return result.left < result.right && result.top < result.bottom ? result : nil
  }
}

extension ImageSize {
  /// All of a picture of this size.
  package var whole: PixelRectangle { PixelRectangle(x: 0, y: 0, width: width, height: height) }
}
