// SPDX-License-Identifier: Apache-2.0

import CPNG
public import MUXImages

/// Decodes through libpng's simplified interface. Transparency is dropped, not blended.
func decodePNG(_ data: [UInt8], name: String) throws(ImageError) -> Image {
  var png = png_image()
  png.version = UInt32(PNG_IMAGE_VERSION)
  defer { png_image_free(&png) }
  func message() -> String {
    withUnsafeBytes(of: png.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
  // The data must outlive `png_image_finish_read`, so both calls share one borrow of it.
  var outcome = Result<Image, ImageError>.failure(.unknownFormat(name: name))
  data.withUnsafeBytes { bytes in
    guard png_image_begin_read_from_memory(&png, bytes.baseAddress, bytes.count) != 0 else {
      outcome = .failure(.damaged(name: name, format: "PNG", reason: message()))
      return
    }
    let width = Int(png.width)
    let height = Int(png.height)
    do throws(ImageError) {
      try checkPixelCount(width: width, height: height, name: name)
    } catch {
      outcome = .failure(error)
      return
    }
    let hasAlpha = png.format & UInt32(PNG_FORMAT_FLAG_ALPHA) != 0
    let colors = png.format & UInt32(PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1
    let stored = colors + (hasAlpha ? 1 : 0)
    png.format =
      (colors == 3 ? UInt32(PNG_FORMAT_FLAG_COLOR) : 0)
      | (hasAlpha ? UInt32(PNG_FORMAT_FLAG_ALPHA) : 0)
    png.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
    var isComplete = false
    let values = [UInt8](unsafeUninitializedCapacity: width * height * stored) { buffer, used in
      isComplete = png_image_finish_read(&png, nil, buffer.baseAddress, 0, nil) != 0
      used = isComplete ? buffer.count : 0
    }
    guard isComplete else {
      outcome = .failure(.damaged(name: name, format: "PNG", reason: message()))
      return
    }
    guard hasAlpha else {
      outcome = .success(Image(width: width, height: height, channels: colors, pixels: values))
      return
    }
    outcome = .success(
      Image(width: width, height: height, channels: colors) { target in
        for pixel in 0..<(width * height) {
          for channel in 0..<colors {
            target[pixel * colors + channel] = values[pixel * stored + channel]
          }
        }
      })
  }
  return try outcome.get()
}

extension Image {
  /// The image as the bytes of a PNG file (lossless).
  public func pngData() throws(ImageError) -> [UInt8] {
    var png = png_image()
    png.version = UInt32(PNG_IMAGE_VERSION)
    png.width = UInt32(width)
    png.height = UInt32(height)
    png.format = channels == 3 ? UInt32(PNG_FORMAT_FLAG_COLOR) : 0
    defer { png_image_free(&png) }
    // Deflate can make noise a little longer; the header and the chunks take little.
    var size = pixels.count + pixels.count / 8 + height + 4096
    var isWritten = false
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
      isWritten = withPixels {
        png_image_write_to_memory(&png, buffer.baseAddress, &size, 0, $0, 0, nil) != 0
      }
      used = isWritten ? size : 0
    }
    guard isWritten else {
      let message = withUnsafeBytes(of: png.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw .notEncodable(reason: message)
    }
    return bytes
  }

  /// Writes the image as a PNG file: to a temporary file first, which is then renamed.
  public func writePNG(to path: String) throws(ImageError) {
    try FileAccess.writeAtomically(pngData(), to: path)
  }
}
