// SPDX-License-Identifier: Apache-2.0

import CPNG
public import MUXImages

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
