// SPDX-License-Identifier: Apache-2.0
public import MUXCore

// Brightness, contrast, saturation, sharpness and hue with Pillow's arithmetic (`ImageEnhance`,
// and `Image.convert("HSV")` for the hue), which is what torchvision and timm apply to images.

/// A blend of `from` (factor 0) and `to` (factor 1) that may go beyond either; cut, not rounded.
@inline(__always)
private func blended(_ from: UInt8, _ to: UInt8, _ factor: Float) -> UInt8 {
  var value = Float(from) + factor * (Float(to) - Float(from))
  // Turned round, so that no number (an endless factor of no difference) is 0, too.
  value = value > 0 ? value : 0
  value = value > 255 ? 255 : value
  return UInt8(value)
}

extension Image {
  /// Each value through a table of 256 for its channel (one table serves all if only one given).
  package func mapped(_ tables: [[UInt8]]) -> Image {
    let flat = (0..<channels).flatMap { tables[tables.count == 1 ? 0 : $0] }
    return Image(width: width, height: height, channels: channels) { target in
      flat.withUnsafeBufferPointer { table in
        withPixels { source in
          if channels == 3 {
            var index = 0
            while index < width * height * 3 {
              target[index] = table[Int(source[index])]
              target[index + 1] = table[256 + Int(source[index + 1])]
              target[index + 2] = table[512 + Int(source[index + 2])]
              index += 3
            }
          } else {
            for index in 0..<(width * height) { target[index] = table[Int(source[index])] }
          }
        }
      }
    }
  }

  /// Multiplies all values by a factor: 0 black, 1 the image.
  public func adjustingBrightness(_ factor: Float) -> Image {
    mapped([(0...255).map { blended(0, UInt8($0), factor) }])
  }

  /// Moves all values from the mean grey: 0 that grey, 1 the image.
  public func adjustingContrast(_ factor: Float) -> Image {
    let mean = meanGrey
    return mapped([(0...255).map { blended(mean, UInt8($0), factor) }])
  }

  /// The mean of the grey image, rounded.
  private var meanGrey: UInt8 {
    var sum = 0
    withPixels { source in
      if channels == 3 {
        for i in 0..<(width * height) {
          sum &+= Int(luma(source[3 &* i], source[3 &* i &+ 1], source[3 &* i &+ 2]))
        }
      } else {
        for i in 0..<(width * height) { sum &+= Int(source[i]) }
      }
    }
    return UInt8(Double(sum) / Double(width * height) + 0.5)
  }

  /// Moves each pixel from its grey: 0 the grey image, 1 the image.
  public func adjustingSaturation(_ factor: Float) -> Image {
    guard channels == 3 else { return self }
    return Image(width: width, height: height, channels: 3) { target in
      withPixels { source in
        var i = 0
        while i < width * height * 3 {
          let grey = luma(source[i], source[i &+ 1], source[i &+ 2])
          target[i] = blended(grey, source[i], factor)
          target[i &+ 1] = blended(grey, source[i &+ 1], factor)
          target[i &+ 2] = blended(grey, source[i &+ 2], factor)
          i &+= 3
        }
      }
    }
  }

  /// Moves each value from a smoothed image: 0 smoothed, 1 the image, above 1 sharper.
  public func adjustingSharpness(_ factor: Float) -> Image {
    guard width > 2 && height > 2 else { return self }
    let row = width * channels
    return Image(width: width, height: height, channels: channels) { target in
      withPixels { source in
        target.update(from: source, count: row * height)
        for y in 1..<(height - 1) {
          for i in (y * row + channels)..<((y + 1) * row - channels) {
            let above = source + (i - row)
            let here = source + i
            let below = source + (i + row)
            // 3×3 of ones with a centre of 5, over 13; the border stays as it is.
            var sum = Int32(above[-channels]) &+ Int32(above[0]) &+ Int32(above[channels])
            sum &+= Int32(here[-channels]) &+ 5 &* Int32(here[0]) &+ Int32(here[channels])
            sum &+= Int32(below[-channels]) &+ Int32(below[0]) &+ Int32(below[channels])
            let smooth = UInt8(truncatingIfNeeded: (2 &* sum &+ 13) / 26)
            target[i] = blended(smooth, here[0], factor)
          }
        }
      }
    }
  }

  /// Turns the hue by a share of the circle, −0.5 … 0.5. (What is far beyond, or no number, turns
  /// nothing.)
  public func adjustingHue(_ turn: Float) -> Image {
    guard channels == 3, abs(turn) < 65536 else { return self }
    let shift = UInt8(truncatingIfNeeded: Int32(turn * 255))
    return Image(width: width, height: height, channels: 3) { target in
      withPixels { source in
        var i = 0
        while i < width * height * 3 {
          let hsv = hueSaturationValue(source[i], source[i &+ 1], source[i &+ 2])
          let rgb = redGreenBlue(hsv.0 &+ shift, hsv.1, hsv.2)
          target[i] = rgb.0
          target[i &+ 1] = rgb.1
          target[i &+ 2] = rgb.2
          i &+= 3
        }
      }
    }
  }
}

/// RGB to HSV, each 0 … 255.
private func hueSaturationValue(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> (UInt8, UInt8, UInt8) {
  let most = max(r, g, b)
  let least = min(r, g, b)
  guard most != least else { return (0, 0, most) }
  let range = Float(most) - Float(least)
  let saturation = range / Float(most)
  let red = (Float(most) - Float(r)) / range
  let green = (Float(most) - Float(g)) / range
  let blue = (Float(most) - Float(b)) / range
  // Single precision where Pillow stores, double where it works: the results are cut off, so that
  // a last bit can change a whole step.
  var hue: Float
  if r == most {
    hue = blue - green
  } else if g == most {
    hue = Float(2 + Double(red) - Double(blue))
  } else {
    hue = Float(4 + Double(green) - Double(red))
  }
  let turn = Double(hue) / 6 + 1
  hue = Float(turn >= 1 ? turn - 1 : turn)
  return (
    UInt8(min(255, max(0, Double(hue) * 255))), UInt8(min(255, max(0, Double(saturation) * 255))),
    most
  )
}

/// HSV to RGB, each 0 … 255.
private func redGreenBlue(_ h: UInt8, _ s: UInt8, _ v: UInt8) -> (UInt8, UInt8, UInt8) {
  guard s != 0 else { return (v, v, v) }
  let saturation = Float(s) / 255
  let hue = Float(Double(h) * 6 / 255)
  let sector = hue.rounded(.down)
  let fraction = hue - sector
  let value = Float(v)
  func rounded(_ x: Float) -> UInt8 { UInt8(min(255, max(0, x.rounded()))) }
  let p = rounded(value * (1 - saturation))
  let q = rounded(value * (1 - saturation * fraction))
  let t = rounded(value * (1 - saturation * (1 - fraction)))
  switch Int(sector) % 6 {
  case 0: return (v, t, p)
  case 1: return (q, v, p)
  case 2: return (p, v, t)
  case 3: return (p, q, v)
  case 4: return (t, p, v)
  default: return (v, p, q)
  }
}

/// Random brightness, contrast, saturation and hue in random order (torchvision's `ColorJitter`).
public struct ColorJitter: Sendable, Hashable, Codable {
  /// Factors are drawn from 1 − b … 1 + b.
  public var brightness: Double
  /// Factors are drawn from 1 − c … 1 + c.
  public var contrast: Double
  /// Factors are drawn from 1 − s … 1 + s.
  public var saturation: Double
  /// Turns are drawn from −h … h of the circle; at most 0.5.
  public var hue: Double

  /// Makes the transform.
  public init(
    brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0
  ) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case brightness, contrast, saturation, hue
  }

  /// Decodes the settings; each is 0 (off) unless given.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    self.init(
      brightness: try values.value(.brightness, default: 0),
      contrast: try values.value(.contrast, default: 0),
      saturation: try values.value(.saturation, default: 0),
      hue: try values.value(.hue, default: 0))
    guard [brightness, contrast, saturation, hue].allSatisfy({ $0 >= 0 && $0.isFinite }),
      hue <= 0.5
    else {
      throw decoder.invalid("the settings must not be negative, and hue at most 0.5")
    }
  }

  /// Changes the colours of an image.
  public func apply(to image: Image, random: inout RandomStream) -> Image {
    func factor(_ strength: Double) -> Float {
      Float(random.uniform(max(0, 1 - strength), 1 + strength))
    }
    var result = image
    for adjustment in random.permutation(4) {
      switch adjustment {
      case 0 where brightness > 0: result = result.adjustingBrightness(factor(brightness))
      case 1 where contrast > 0: result = result.adjustingContrast(factor(contrast))
      case 2 where saturation > 0: result = result.adjustingSaturation(factor(saturation))
      case 3 where hue > 0: result = result.adjustingHue(Float(random.uniform(-hue, hue)))
      default: break
      }
    }
    return result
  }
}
