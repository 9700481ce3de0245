// SPDX-License-Identifier: Apache-2.0

/// How values between pixels are found.
public enum Interpolation: String, Sendable, Hashable, Codable, CaseIterable {
  /// The nearest pixel.
  case nearest
  /// A triangle filter (support 1).
  case bilinear
  /// A cubic filter of a = −0.5 (support 2), Pillow's.
  case bicubic

  var support: Double { self == .bicubic ? 2 : 1 }

  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    guard self == .bicubic else { return x < 1 ? 1 - x : 0 }
    let a = -0.5
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
    return 0
  }
}

/// A rectangle of whole pixels; its origin is the image's upper left corner.
public struct PixelRectangle: Sendable, Hashable, Codable {
  /// The left edge.
  public var x: Int
  /// The top edge.
  public var y: Int
  /// Pixels per row.
  public var width: Int
  /// Rows.
  public var height: Int

  /// Makes a rectangle.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// Whether it holds a pixel, and none outside of a picture of this size.
  func isInside(width: Int, height: Int) -> Bool {
    x >= 0 && y >= 0 && self.width > 0 && self.height > 0
      && self.width <= width - x && self.height <= height - y
  }
}

/// For some target positions along one axis, the source positions that enter and their weights. What
/// a position gets does not depend on which others are in the table.
private struct ResamplingTable {
  let taps: Int  // places per target position; unused ones at the end
  var starts: [Int]
  var counts: [Int]
  var weights: [Float]

  /// The source positions that enter.
  var sources: Range<Int> {
    var end = 0
    for (start, count) in zip(starts, counts) { end = max(end, start + count) }
    return (starts.first ?? 0)..<end
  }

  /// Places per target position.
  static func taps(source: Int, target: Int, interpolation: Interpolation) -> Int {
    let scale = max(Double(source) / Double(target), 1)
    return Int((interpolation.support * scale).rounded(.up)) * 2 + 1
  }

  /// The filter is widened by the scale when the image shrinks (antialiasing), and cut off and
  /// renormalised at the borders.
  /// - Parameter positions: The target positions that are wanted.
  init(source: Int, target: Int, positions: Range<Int>, interpolation: Interpolation) {
    let scale = Double(source) / Double(target)
    let widening = max(scale, 1)
    let support = interpolation.support * widening
    taps = Self.taps(source: source, target: target, interpolation: interpolation)
    starts = []
    counts = []
    weights = [Float](repeating: 0, count: taps * positions.count)
    starts.reserveCapacity(positions.count)
    counts.reserveCapacity(positions.count)
    var row = [Double](repeating: 0, count: taps)
    for (place, position) in positions.enumerated() {
      let center = (Double(position) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), source)
      var sum = 0.0
      for tap in 0..<(end - start) {
        row[tap] = interpolation.weight((Double(tap + start) - center + 0.5) / widening)
        sum += row[tap]
      }
      for tap in 0..<(end - start) { weights[place * taps + tap] = Float(row[tap] / sum) }
      starts.append(start)
      counts.append(end - start)
    }
  }
}

/// Rounds to the nearest of 0 … 255, halves up, without a branch that stops vectorisation.
@inline(__always)
private func byte(_ value: Float) -> UInt8 {
  // Halves must go up as in fixed point arithmetic; adding 1.5 · 2²³ rounds halves to even.
  var x = value + 0x1p-12
  x = x < 0 ? 0 : x
  x = x > 255 ? 255 : x
  return UInt8(truncatingIfNeeded: (x + 12_582_912).bitPattern)
}

extension Image {
  /// The image, or a rectangle of it, in another size.
  ///
  /// Bilinear and bicubic are separable filters that widen when the image shrinks (antialiased),
  /// columns first and rounded to 8 bits in between, as in Pillow: results agree with
  /// `PIL.Image.resize` within ±1 of 255. A rectangle gives what cropping first would.
  ///
  /// The work and the memory are those of the window and of the source pixels that enter it, also
  /// where the whole result would be of any size.
  /// - Parameters:
  ///   - width: The new width.
  ///   - height: The new height.
  ///   - interpolation: The filter.
  ///   - rectangle: The part of this image to take, within it; nil takes it all.
  ///   - window: The part of the result that is wanted, within it; nil takes it all. The pixels are
  ///     those of the whole result.
  public func resized(
    width: Int, height: Int, interpolation: Interpolation = .bilinear,
    rectangle: PixelRectangle? = nil, window: PixelRectangle? = nil
  ) -> Image {
    resized(
      width: width, height: height, interpolation: interpolation, rectangle: rectangle,
      window: window, blockBytes: 1 << 24)
  }

  /// The same with a choice of how many bytes of weights, and of rows between the passes, are kept at
  /// a time; it changes no pixel.
  package func resized(
    width: Int, height: Int, interpolation: Interpolation, rectangle: PixelRectangle? = nil,
    window: PixelRectangle? = nil, blockBytes: Int
  ) -> Image {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    let part = rectangle ?? PixelRectangle(x: 0, y: 0, width: self.width, height: self.height)
    precondition(
      part.isInside(width: self.width, height: self.height),
      "the rectangle lies outside the image")
    let window = window ?? PixelRectangle(x: 0, y: 0, width: width, height: height)
    precondition(
      window.isInside(width: width, height: height), "the window lies outside the result")
    let size = ImageSize(height: height, width: width)
    if part.width == width && part.height == height {
      return cropped(
        to: PixelRectangle(
          x: part.x + window.x, y: part.y + window.y, width: window.width, height: window.height))
    }
    if interpolation == .nearest { return nearest(size, part: part, window: window) }
    return Image(width: window.width, height: window.height, channels: channels) { target in
      // One pass only where the other would change nothing.
      if part.height == height {
        let rows = (part.y + window.y)..<(part.y + window.y + window.height)
        filterColumns(
          part, rows: rows, to: width, window: window, interpolation, blockBytes, target)
      } else {
        filterRows(part, to: size, window: window, interpolation, blockBytes, target)
      }
    }
  }

  /// A rectangle of the image.
  public func cropped(to part: PixelRectangle) -> Image {
    precondition(
      part.isInside(width: width, height: height), "the rectangle lies outside the image")
    if part.width == width && part.height == height { return self }
    return Image(width: part.width, height: part.height, channels: channels) { target in
      withPixels { source in
        let row = part.width * channels
        for y in 0..<part.height {
          (target + y * row).update(
            from: source + ((part.y + y) * width + part.x) * channels, count: row)
        }
      }
    }
  }

  private func nearest(_ size: ImageSize, part: PixelRectangle, window: PixelRectangle) -> Image {
    let columns = (window.x..<(window.x + window.width)).map { x in
      min(part.width - 1, Int((Double(x) + 0.5) * Double(part.width) / Double(size.width))) + part.x
    }
    return Image(width: window.width, height: window.height, channels: channels) { target in
      withPixels { source in
        for y in 0..<window.height {
          let place = (Double(window.y + y) + 0.5) * Double(part.height) / Double(size.height)
          let row = min(part.height - 1, Int(place)) + part.y
          for x in 0..<window.width {
            for channel in 0..<channels {
              target[(y * window.width + x) * channels + channel] =
                source[(row * width + columns[x]) * channels + channel]
            }
          }
        }
      }
    }
  }

  /// Filters along the rows: some rows of the image, the window's columns of the result.
  private func filterColumns(
    _ part: PixelRectangle, rows: Range<Int>, to newWidth: Int, window: PixelRectangle,
    _ interpolation: Interpolation, _ blockBytes: Int, _ target: UnsafeMutablePointer<UInt8>
  ) {
    guard part.width != newWidth else {
      withPixels { source in
        for (y, row) in rows.enumerated() {
          (target + y * window.width * channels).update(
            from: source + (row * width + part.x + window.x) * channels,
            count: window.width * channels)
        }
      }
      return
    }
    let taps = ResamplingTable.taps(
      source: part.width, target: newWidth, interpolation: interpolation)
    let step = max(1, blockBytes / (4 * taps))
    for first in stride(from: 0, to: window.width, by: step) {
      let last = min(window.width, first + step)
      let table = ResamplingTable(
        source: part.width, target: newWidth,
        positions: (window.x + first)..<(window.x + last), interpolation: interpolation)
      withPixels { source in
        if channels == 3 {
          filterColumns3(
            source + part.x * 3, rows: rows, table: table, to: target + first * 3,
            stride: window.width * 3)
        } else {
          filterColumns1(
            source + part.x, rows: rows, table: table, to: target + first, stride: window.width)
        }
      }
    }
  }

  /// RGB: a row is spread to four floats a pixel, so that one tap is one vector operation.
  private func filterColumns3(
    _ source: UnsafePointer<UInt8>, rows: Range<Int>, table: ResamplingTable,
    to target: UnsafeMutablePointer<UInt8>, stride: Int
  ) {
    let sources = table.sources
    withUnsafeTemporaryAllocation(of: SIMD4<Float>.self, capacity: sources.count) { row in
      guard let spread = row.baseAddress else { return }
      table.weights.withUnsafeBufferPointer { weights in
        for (y, sourceRow) in rows.enumerated() {
          let line = source + (sourceRow * width + sources.lowerBound) * 3
          for x in 0..<sources.count {
            (spread + x).initialize(
              to: SIMD4(Float(line[3 * x]), Float(line[3 * x + 1]), Float(line[3 * x + 2]), 0))
          }
          let out = target + y * stride
          for x in 0..<table.starts.count {
            let start = table.starts[x] &- sources.lowerBound
            let first = x &* table.taps
            var sum = SIMD4<Float>(repeating: 0)
            for tap in 0..<table.counts[x] {
              sum += spread[start &+ tap] * weights[first &+ tap]
            }
            out[3 * x] = byte(sum.x)
            out[3 * x + 1] = byte(sum.y)
            out[3 * x + 2] = byte(sum.z)
          }
        }
      }
    }
  }

  private func filterColumns1(
    _ source: UnsafePointer<UInt8>, rows: Range<Int>, table: ResamplingTable,
    to target: UnsafeMutablePointer<UInt8>, stride: Int
  ) {
    table.weights.withUnsafeBufferPointer { weights in
      for (y, sourceRow) in rows.enumerated() {
        let line = source + sourceRow * width
        for x in 0..<table.starts.count {
          let start = table.starts[x]
          let first = x &* table.taps
          var sum: Float = 0
          for tap in 0..<table.counts[x] {
            sum += Float(line[start &+ tap]) * weights[first &+ tap]
          }
          target[y * stride + x] = byte(sum)
        }
      }
    }
  }

  /// Filters along the columns, after the rows: whole rows are weighted and summed. As many rows of
  /// the result are made at a time as the rows between the passes allow.
  private func filterRows(
    _ part: PixelRectangle, to size: ImageSize, window: PixelRectangle,
    _ interpolation: Interpolation, _ blockBytes: Int, _ target: UnsafeMutablePointer<UInt8>
  ) {
    let count = window.width * channels
    let taps = ResamplingTable.taps(
      source: part.height, target: size.height, interpolation: interpolation)
    let scale = max(1, part.height / size.height)
    let step = max(1, min(blockBytes / (4 * taps), blockBytes / count / scale))
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      guard let sums = buffer.baseAddress else { return }
      for first in stride(from: 0, to: window.height, by: step) {
        let last = min(window.height, first + step)
        let table = ResamplingTable(
          source: part.height, target: size.height,
          positions: (window.y + first)..<(window.y + last), interpolation: interpolation)
        // A single row of the result may take more rows than there is room for: they come in turns.
        let sources = table.sources
        let room = last - first > 1 ? sources.count : max(1, blockBytes / count)
        for start in stride(from: sources.lowerBound, to: sources.upperBound, by: room) {
          let some = start..<min(sources.upperBound, start + room)
          withFilteredColumns(
            part, rows: some, to: size.width, window: window, interpolation, blockBytes
          ) { lines, pitch in
            for y in 0..<table.starts.count {
              let begin = table.starts[y]
              for row in max(begin, some.lowerBound)..<min(begin + table.counts[y], some.upperBound)
              {
                let weight = table.weights[y * table.taps + row - begin]
                let line = lines + (row - some.lowerBound) * pitch
                if row == begin {
                  for i in 0..<count { sums[i] = Float(line[i]) * weight }
                } else {
                  for i in 0..<count { sums[i] += Float(line[i]) * weight }
                }
              }
              guard begin + table.counts[y] <= some.upperBound else { continue }
              let out = target + (first + y) * count
              for i in 0..<count { out[i] = byte(sums[i]) }
            }
          }
        }
      }
    }
  }

  /// Calls `body` with rows of the part whose columns are filtered, and the distance between rows.
  private func withFilteredColumns(
    _ part: PixelRectangle, rows: Range<Int>, to newWidth: Int, window: PixelRectangle,
    _ interpolation: Interpolation, _ blockBytes: Int,
    _ body: (UnsafePointer<UInt8>, Int) -> Void
  ) {
    guard part.width != newWidth else {
      withPixels { source in
        body(
          source + ((part.y + rows.lowerBound) * width + part.x + window.x) * channels,
          width * channels)
      }
      return
    }
    let own = (part.y + rows.lowerBound)..<(part.y + rows.upperBound)
    let narrow = Image(width: window.width, height: rows.count, channels: channels) { target in
      filterColumns(
        part, rows: own, to: newWidth, window: window, interpolation, blockBytes, target)
    }
    narrow.withPixels { body($0, window.width * channels) }
  }
}
