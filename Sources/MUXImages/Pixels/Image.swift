// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// A decoded image: rows from top to bottom, channels interleaved, 8 bits each.
public struct Image: Sendable, Hashable {
  /// Pixels per row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 3 for RGB, 1 for grey.
  public let channels: Int
  /// The values, `width · height · channels` of them: pixel (x, y), channel c stands at
  /// `(y · width + x) · channels + c`.
  public let pixels: [UInt8]

  /// Makes an image of the given values.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    precondition(channels == 1 || channels == 3, "an image has 1 or 3 channels")
    precondition(
      pixels.count == width * height * channels, "the values must fill the image exactly")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Makes an image of one colour (one value per channel).
  public init(width: Int, height: Int, color: [UInt8]) {
    let count = width * height * color.count
    let channels = color.count
    self.init(
      width: width, height: height, channels: channels,
      pixels: [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
        for index in 0..<count { buffer[index] = color[index % channels] }
        used = count
      })
  }

  /// Makes an image whose values `fill` writes; it must write every one of them.
  package init(
    width: Int, height: Int, channels: Int,
    fill: (UnsafeMutablePointer<UInt8>) throws -> Void
  ) rethrows {
    let count = width * height * channels
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      if let base = buffer.baseAddress { try fill(base) }
      used = count
    }
    self.init(width: width, height: height, channels: channels, pixels: pixels)
  }

  /// Calls `body` with a pointer to the values.
  package func withPixels<Result>(
    _ body: (UnsafePointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    try pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an image has pixels") }
      return try body(base)
    }
  }

  /// Height and width in pixels.
  public var size: ImageSize { ImageSize(height: height, width: width) }

  /// The value of one channel of one pixel.
  public subscript(x: Int, y: Int, channel: Int) -> UInt8 {
    precondition(x >= 0 && x < width && y >= 0 && y < height, "pixel outside the image")
    return pixels[(y * width + x) * channels + channel]
  }

  /// The image in RGB; a grey one has its value repeated.
  public var rgb: Image {
    guard channels == 1 else { return self }
    return Image(width: width, height: height, channels: 3) { target in
      withPixels { source in
        for index in 0..<(width * height) {
          let value = source[index]
          target[3 * index] = value
          target[3 * index + 1] = value
          target[3 * index + 2] = value
        }
      }
    }
  }

  /// The image in grey: ITU-R 601 luma, rounded as Pillow does.
  public var grey: Image {
    guard channels == 3 else { return self }
    return Image(width: width, height: height, channels: 1) { target in
      withPixels { source in
        for index in 0..<(width * height) {
          target[index] = luma(source[3 * index], source[3 * index + 1], source[3 * index + 2])
        }
      }
    }
  }

  /// The image with 1 or 3 channels: grey by the weights of ITU-R 601, or grey repeated three times.
  public func converted(toChannels count: Int) -> Image {
    precondition(count == 1 || count == 3, "an image has 1 or 3 channels")
    return count == 3 ? rgb : grey
  }
}

/// ITU-R 601 luma in 16 fractional bits.
@inline(__always)
package func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
  let sum = UInt32(red) &* 19595 &+ UInt32(green) &* 38470 &+ UInt32(blue) &* 7471 &+ 0x8000
  return UInt8(truncatingIfNeeded: sum >> 16)
}
