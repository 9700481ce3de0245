// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// The operations that AutoAugment and RandAugment choose from, with Pillow's arithmetic
// (`ImageOps`, `Image.transform`, `Image.rotate`).

extension Image {
  /// Each channel stretched so that its least value becomes 0 and its greatest 255.
  func autoContrasted() -> Image {
    mapped(
      histograms().map { histogram in
        guard let low = histogram.firstIndex(where: { $0 > 0 }),
          let high = histogram.lastIndex(where: { $0 > 0 }), low < high
        else { return (0...255).map { UInt8($0) } }
        let scale = 255.0 / Double(high - low)
        let offset = -Double(low) * scale
        return (0...255).map { UInt8(max(0, min(255, Double($0) * scale + offset))) }
      })
  }

  /// Each channel mapped so that its values spread evenly over 0 … 255.
  func equalized() -> Image {
    mapped(
      histograms().map { histogram in
        let identity = (0...255).map { UInt8($0) }
        guard histogram.count(where: { $0 > 0 }) > 1, let last = histogram.last(where: { $0 > 0 })
        else { return identity }
        let step = (width * height - last) / 255
        guard step > 0 else { return identity }
        var sum = step / 2
        return histogram.map { count in
          defer { sum += count }
          return UInt8(min(255, sum / step))
        }
      })
  }

  /// Every value subtracted from 255.
  public func inverted() -> Image { mapped([(0...255).map { UInt8(255 - $0) }]) }

  /// Keeps the given number of high bits of each value (0 … 8).
  func posterized(bits: Int) -> Image {
    let mask = UInt8(truncatingIfNeeded: 0xff << (8 - max(0, min(8, bits))))
    return mapped([(0...255).map { UInt8($0) & mask }])
  }

  /// Inverts the values from the threshold on (0 … 256).
  func solarized(threshold: Int) -> Image {
    mapped([(0...255).map { UInt8($0 < threshold ? $0 : 255 - $0) }])
  }

  /// Adds to the values below the threshold.
  func solarizeAdded(_ addend: Int, threshold: Int = 128) -> Image {
    mapped([(0...255).map { UInt8($0 < threshold ? max(0, min(255, $0 + addend)) : $0) }])
  }

  private func histograms() -> [[Int]] {
    var counts = [Int](repeating: 0, count: 256 * channels)
    withPixels { source in
      var i = 0
      while i < width * height * channels {
        for channel in 0..<channels { counts[256 * channel + Int(source[i + channel])] += 1 }
        i += channels
      }
    }
    return (0..<channels).map { Array(counts[(256 * $0)..<(256 * $0 + 256)]) }
  }

  /// Turns the image counter-clockwise around its centre.
  public func rotated(degrees: Double, interpolation: Interpolation, fill: [UInt8]) -> Image {
    let angle = -degrees * Double.pi / 180
    let centerX = Double(width) / 2
    let centerY = Double(height) / 2
    let c = cos(angle)
    let s = sin(angle)
    return transformed(
      xx: c, xy: s, x0: centerX - c * centerX - s * centerY,
      yx: -s, yy: c, y0: centerY + s * centerX - c * centerY,
      interpolation: interpolation, fill: fill)
  }

  /// An affine map: the pixel at (x, y) comes from (xx·x + xy·y + x0, yx·x + yy·y + y0), both at
  /// pixel centres; what lies outside gets the colour `fill`.
  public func transformed(
    xx: Double, xy: Double, x0: Double, yx: Double, yy: Double, y0: Double,
    interpolation: Interpolation, fill: [UInt8]
  ) -> Image {
    precondition(!fill.isEmpty, "a fill colour has one value or one per channel")
    let color = (0..<channels).map { fill[min($0, fill.count - 1)] }
    return Image(width: width, height: height, channels: channels) { target in
      withPixels { source in
        for y in 0..<height {
          for x in 0..<width {
            let fromX = xx * (Double(x) + 0.5) + xy * (Double(y) + 0.5) + x0
            let fromY = yx * (Double(x) + 0.5) + yy * (Double(y) + 0.5) + y0
            let out = target + (y * width + x) * channels
            guard fromX >= 0, fromX < Double(width), fromY >= 0, fromY < Double(height) else {
              for channel in 0..<channels { out[channel] = color[channel] }
              continue
            }
            switch interpolation {
            case .nearest:
              let from = source + (Int(fromY) * width + Int(fromX)) * channels
              for channel in 0..<channels { out[channel] = from[channel] }
            case .bilinear: bilinear(source, x: fromX - 0.5, y: fromY - 0.5, to: out)
            case .bicubic: bicubic(source, x: fromX - 0.5, y: fromY - 0.5, to: out)
            }
          }
        }
      }
    }
  }

  private func bilinear(
    _ source: UnsafePointer<UInt8>, x: Double, y: Double, to out: UnsafeMutablePointer<UInt8>
  ) {
    let left = Int(x.rounded(.down))
    let top = Int(y.rounded(.down))
    let dx = x - Double(left)
    let dy = y - Double(top)
    let x0 = max(0, left) * channels
    let x1 = min(width - 1, left + 1) * channels
    let above = source + max(0, top) * width * channels
    let below = source + min(height - 1, top + 1) * width * channels
    for c in 0..<channels {
      let upper = Double(above[x0 + c]) * (1 - dx) + Double(above[x1 + c]) * dx
      let lower = Double(below[x0 + c]) * (1 - dx) + Double(below[x1 + c]) * dx
      out[c] = UInt8(upper * (1 - dy) + lower * dy)
    }
  }

  private func bicubic(
    _ source: UnsafePointer<UInt8>, x: Double, y: Double, to out: UnsafeMutablePointer<UInt8>
  ) {
    let left = Int(x.rounded(.down))
    let top = Int(y.rounded(.down))
    let dx = x - Double(left)
    let dy = y - Double(top)
    func cubic(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ t: Double) -> Double {
      // The cubic through b and c of a = −1, as Pillow's transforms (not its resize) have it.
      b + t * ((c - a) + t * ((2 * (a - b) + c - d) + t * (b - a + d - c)))
    }
    func column(_ offset: Int) -> Int { min(width - 1, max(0, left + offset)) * channels }
    let (c0, c1, c2, c3) = (column(-1), column(0), column(1), column(2))
    for c in 0..<channels {
      func row(_ offset: Int) -> Double {
        let line = source + min(height - 1, max(0, top + offset)) * width * channels + c
        return cubic(
          Double(line[c0]), Double(line[c1]), Double(line[c2]), Double(line[c3]), dx)
      }
      let value = cubic(row(-1), row(0), row(1), row(2), dy)
      out[c] = UInt8(min(255, max(0, value)))
    }
  }
}
