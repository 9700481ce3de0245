// SPDX-License-Identifier: Apache-2.0

/// Pixels in colours that are drawn on; what lies outside of them is left out.
struct Canvas {
  let width: Int
  let height: Int
  var pixels: [UInt8]

  init(_ image: Image) {
    width = image.width
    height = image.height
    pixels = image.rgb.pixels
  }

  /// What was drawn.
  var image: Image { Image(width: width, height: height, channels: 3, pixels: pixels) }

  /// Fills what of a rectangle lies in the picture.
  mutating func fill(_ xs: Range<Int>, _ ys: Range<Int>, _ color: [UInt8]) {
    for y in ys.clamped(to: 0..<height) {
      for x in xs.clamped(to: 0..<width) {
        for channel in 0..<3 { pixels[(y * width + x) * 3 + channel] = color[channel] }
      }
    }
  }

  /// Draws the border of a rectangle, inside of it.
  mutating func frame(_ xs: Range<Int>, _ ys: Range<Int>, thickness: Int, _ color: [UInt8]) {
    let (left, right, top, bottom) = (xs.lowerBound, xs.upperBound, ys.lowerBound, ys.upperBound)
    fill(left..<right, top..<min(top + thickness, bottom), color)
    fill(left..<right, max(bottom - thickness, top)..<bottom, color)
    fill(left..<min(left + thickness, right), top..<bottom, color)
    fill(max(right - thickness, left)..<right, top..<bottom, color)
  }

  /// Writes a text whose upper left corner is at a pixel.
  mutating func write(_ text: String, x: Int, y: Int, scale: Int, _ ink: [UInt8]) {
    for (number, character) in text.enumerated() {
      for (row, bits) in SmallFont.rows(character).enumerated() {
        for column in 0..<SmallFont.width
        where bits >> UInt8(SmallFont.width - 1 - column) & 1 == 1 {
          let px = x + (number * (SmallFont.width + 1) + column) * scale
          let py = y + row * scale
          fill(px..<px + scale, py..<py + scale, ink)
        }
      }
    }
  }

  mutating func put(_ image: Image, x: Int, y: Int) {
    let image = image.rgb
    let columns = max(0, x)..<max(0, x, min(width, x + image.width))
    for row in max(0, y)..<max(0, y, min(height, y + image.height)) {
      let source = ((row - y) * image.width + columns.lowerBound - x) * 3
      let target = (row * width + columns.lowerBound) * 3
      for index in 0..<columns.count * 3 { pixels[target + index] = image.pixels[source + index] }
    }
  }
}
