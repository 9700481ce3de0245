// SPDX-License-Identifier: Apache-2.0

extension Image {
  /// Images side by side in rows, for a look at augmented inputs or predictions.
  /// - Parameters:
  ///   - images: The images, at least one; smaller ones stand at the top left of their place.
  ///   - columns: Images in a row.
  ///   - gap: Pixels between images.
  ///   - zoom: Each pixel becomes a square of this side.
  ///   - background: The value of what no image covers.
  public static func grid(
    _ images: [Image], columns: Int, gap: Int = 2, zoom: Int = 1, background: UInt8 = 255
  ) -> Image {
    precondition(!images.isEmpty && columns > 0 && gap >= 0 && zoom > 0, "a grid has images")
    let columns = min(columns, images.count)
    let rows = (images.count + columns - 1) / columns
    let cellWidth = images.reduce(0) { max($0, $1.width) } * zoom
    let cellHeight = images.reduce(0) { max($0, $1.height) } * zoom
    let width = columns * (cellWidth + gap) - gap
    let height = rows * (cellHeight + gap) - gap
    return Image(width: width, height: height, channels: 3) { target in
      target.update(repeating: background, count: width * height * 3)
      for (index, image) in images.enumerated() {
        let large = image.rgb.resized(
          width: image.width * zoom, height: image.height * zoom, interpolation: .nearest)
        let left = index % columns * (cellWidth + gap)
        let top = index / columns * (cellHeight + gap)
        large.withPixels { source in
          for y in 0..<large.height {
            (target + ((top + y) * width + left) * 3).update(
              from: source + y * large.width * 3, count: large.width * 3)
          }
        }
      }
    }
  }
}
