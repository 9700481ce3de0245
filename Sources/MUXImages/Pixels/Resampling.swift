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

/// A rectangle of pixels.
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

  /// Whether it has pixels and lies within an image of that size.
  func isWithin(width: Int, height: Int) -> Bool {
    x >= 0 && y >= 0 && self.width > 0 && self.height > 0 && x <= width - self.width
      && y <= height - self.height
  }
}

/// For each target position along one axis, the source positions that enter and their weights.
private struct ResamplingTable {
  let taps: Int  // places per target position; unused ones at the end
  var starts: [Int]
  var counts: [Int]
  var weights: [Float]

  /// The filter is widened by the scale when the image shrinks (antialiasing), and cut off and
  /// renormalised at the borders.
  ///
  /// - Parameter positions: The target positions that are wanted, of 0 ..< target.
  init(source: Int, target: Int, positions: Range<Int>, interpolation: Interpolation) {
    let scale = Double(source) / Double(target)
    let widening = max(scale, 1)
    let support = interpolation.support * widening
    taps = min(Int(support.rounded(.up)) * 2 + 1, source)
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

  /// From the first source position that enters to behind the last one.
  var extent: Range<Int> {
    let first = starts.min() ?? 0
    return first..<max(first, zip(starts, counts).map { $0 + $1 }.max() ?? 0)
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
  /// - Parameters:
  ///   - width: The new width.
  ///   - height: The new height.
  ///   - interpolation: The filter.
  ///   - rectangle: The part to take, within the image; nil takes it all.
  ///   - window: The part of the result that is wanted, within it; nil gives it all. It is what
  ///     cropping afterwards would give, without the work for the rest.
  public func resized(
    width: Int, height: Int, interpolation: Interpolation = .bilinear,
    rectangle: PixelRectangle? = nil, window: PixelRectangle? = nil
  ) -> Image {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    let part = rectangle ?? PixelRectangle(x: 0, y: 0, width: self.width, height: self.height)
    precondition(
      part.isWithin(width: self.width, height: self.height),
      "the rectangle lies outside the image")
    let window = window ?? PixelRectangle(x: 0, y: 0, width: width, height: height)
    precondition(
      window.isWithin(width: width, height: height), "the window lies outside the result")
    if part.width == width && part.height == height {
      return cropped(
        to: PixelRectangle(
          x: part.x + window.x, y: part.y + window.y, width: window.width, height: window.height))
    }
    if interpolation == .nearest {
      return nearest(width: width, height: height, part: part, window: window)
    }
    let columns =
      part.width == width
      ? nil
      : ResamplingTable(
        source: part.width, target: width, positions: window.x..<window.x + window.width,
        interpolation: interpolation)
    let rows =
      part.height == height
      ? nil
      : ResamplingTable(
        source: part.height, target: height, positions: window.y..<window.y + window.height,
        interpolation: interpolation)
    return filtered(part: part, window: window, columns: columns, rows: rows)
  }

  /// A rectangle of the image.
  public func cropped(to part: PixelRectangle) -> Image {
    precondition(
      part.isWithin(width: width, height: height), "the rectangle lies outside the image")
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

  private func nearest(
    width newWidth: Int, height newHeight: Int, part: PixelRectangle, window: PixelRectangle
  ) -> Image {
    let columns = (window.x..<window.x + window.width).map { x in
      min(part.width - 1, Int((Double(x) + 0.5) * Double(part.width) / Double(newWidth))) + part.x
    }
    return Image(width: window.width, height: window.height, channels: channels) { target in
      withPixels { source in
        for y in 0..<window.height {
          let position = Double(window.y + y) + 0.5
          let row =
            min(part.height - 1, Int(position * Double(part.height) / Double(newHeight))) + part.y
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

  /// Filters along rows and columns (nil for none), row by row: of the rows that are filtered once,
  /// only those are kept that a row of the result still reads.
  private func filtered(
    part: PixelRectangle, window: PixelRectangle, columns: ResamplingTable?,
    rows: ResamplingTable?
  ) -> Image {
    let row = window.width * channels
    let kept = rows?.counts.max() ?? 1
    return Image(width: window.width, height: window.height, channels: channels) { target in
      withPixels { source in
        let first = source + (part.y * width + part.x) * channels
        let stride = width * channels
        guard let rows else {
          withFilter(columns, window: window, channels: channels) { filter in
            for y in 0..<window.height {
              filter(first + (window.y + y) * stride, target + y * row)
            }
          }
          return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: kept * row) { ring in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: row) { sums in
            guard let ring = ring.baseAddress, let sums = sums.baseAddress else { return }
            withFilter(columns, window: window, channels: channels) { filter in
              var next = 0
              for y in 0..<window.height {
                let start = rows.starts[y], end = start + rows.counts[y]
                next = max(next, start)
                while next < end {
                  filter(first + next * stride, ring + next % kept * row)
                  next += 1
                }
                for tap in 0..<rows.counts[y] {
                  let weight = rows.weights[y * rows.taps + tap]
                  let line = ring + (start + tap) % kept * row
                  if tap == 0 {
                    for i in 0..<row { sums[i] = Float(line[i]) * weight }
                  } else {
                    for i in 0..<row { sums[i] += Float(line[i]) * weight }
                  }
                }
                let out = target + y * row
                for i in 0..<row { out[i] = byte(sums[i]) }
              }
            }
          }
        }
      }
    }
  }
}

/// Gives `body` what filters one row, from all of its source to the wanted part of the result.
private func withFilter(
  _ table: ResamplingTable?, window: PixelRectangle, channels: Int,
  _ body: ((UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void) -> Void
) {
  guard let table else {
    body { line, out in
      out.update(from: line + window.x * channels, count: window.width * channels)
    }
    return
  }
  let extent = table.extent
  table.weights.withUnsafeBufferPointer { weights in
    guard let weights = weights.baseAddress else { return }
    guard channels == 3 else {
      body { line, out in filterGrey(line, table, weights, to: out) }
      return
    }
    // RGB: a row is spread to four floats a pixel, so that one tap is one vector operation.
    withUnsafeTemporaryAllocation(of: SIMD4<Float>.self, capacity: extent.count) { buffer in
      guard let spread = buffer.baseAddress else { return }
      body { line, out in filterColors(line, table, weights, extent, spread, to: out) }
    }
  }
}

private func filterColors(
  _ line: UnsafePointer<UInt8>, _ table: ResamplingTable, _ weights: UnsafePointer<Float>,
  _ extent: Range<Int>, _ spread: UnsafeMutablePointer<SIMD4<Float>>,
  to out: UnsafeMutablePointer<UInt8>
) {
  let source = line + extent.lowerBound * 3
  for x in 0..<extent.count {
    (spread + x).initialize(
      to: SIMD4(Float(source[3 * x]), Float(source[3 * x + 1]), Float(source[3 * x + 2]), 0))
  }
  for x in 0..<table.starts.count {
    let start = table.starts[x] &- extent.lowerBound
    let first = x &* table.taps
    var sum = SIMD4<Float>(repeating: 0)
    for tap in 0..<table.counts[x] { sum += spread[start &+ tap] * weights[first &+ tap] }
    out[3 * x] = byte(sum.x)
    out[3 * x + 1] = byte(sum.y)
    out[3 * x + 2] = byte(sum.z)
  }
}

private func filterGrey(
  _ line: UnsafePointer<UInt8>, _ table: ResamplingTable, _ weights: UnsafePointer<Float>,
  to out: UnsafeMutablePointer<UInt8>
) {
  for x in 0..<table.starts.count {
    let start = table.starts[x]
    let first = x &* table.taps
    var sum: Float = 0
    for tap in 0..<table.counts[x] { sum += Float(line[start &+ tap]) * weights[first &+ tap] }
    out[x] = byte(sum)
  }
}
