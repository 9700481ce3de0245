// SPDX-License-Identifier: Apache-2.0

/// How much each part of an image matters, on a coarse grid over it.
public struct HeatMap: Sendable, Hashable {
  /// Cells in a row.
  public var width: Int
  /// Rows.
  public var height: Int
  /// The values, 0…1, row by row.
  public var values: [Float]

  /// A map; the values must fill it exactly.
  public init(width: Int, height: Int, values: [Float]) {
    precondition(
      width > 0 && height > 0 && values.count == width * height, "the values must fill the map")
    self.width = width
    self.height = height
    self.values = values
  }

  /// The value at a place of 0…1 in both directions, smooth between the middles of cells.
  func value(x: Double, y: Double) -> Double {
    func cells(_ place: Double, _ count: Int) -> (Int, Int, Double) {
      let position = min(max(place * Double(count) - 0.5, 0), Double(count - 1))
      let first = Int(position)
      return (first, min(first + 1, count - 1), position - Double(first))
    }
    let (left, right, across) = cells(x, width)
    let (top, bottom, down) = cells(y, height)
    func row(_ y: Int) -> Double {
      Double(values[y * width + left]) * (1 - across) + Double(values[y * width + right]) * across
    }
    return row(top) * (1 - down) + row(bottom) * down
  }
}

extension Image {
  /// The image in grey, with colours from yellow to red where a map has large values.
  public func overlaid(with map: HeatMap) -> Image {
    let grey = grey
    return Image(width: width, height: height, channels: 3) { target in
      for y in 0..<height {
        for x in 0..<width {
          let heat = map.value(
            x: (Double(x) + 0.5) / Double(width), y: (Double(y) + 0.5) / Double(height))
          let share = heat.isFinite ? min(max(heat, 0), 1) : 0
          let light = Double(grey[x, y, 0])
          let colour = [255, 220 * (1 - share), 0]
          for channel in 0..<3 {
            let value = light + (colour[channel] - light) * 0.65 * share
            target[(y * width + x) * 3 + channel] = UInt8(min(max(value.rounded(), 0), 255))
          }
        }
      }
    }
  }
}
