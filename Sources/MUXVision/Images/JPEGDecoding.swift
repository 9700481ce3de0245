// SPDX-License-Identifier: Apache-2.0

import CTurboJPEG
import MUXImages

/// Decodes through libjpeg-turbo with the accurate inverse DCT and smooth chroma upsampling, the
/// defaults of Pillow and OpenCV.
func decodeJPEG(_ data: [UInt8], name: String) throws(ImageError) -> Image {
  guard let handle = tjInitDecompress() else {
    throw .damaged(name: name, format: "JPEG", reason: "libjpeg-turbo did not start")
  }
  defer { tjDestroy(handle) }
  func reason() -> String { String(cString: tjGetErrorStr2(handle)) }

  var width: Int32 = 0
  var height: Int32 = 0
  var subsampling: Int32 = 0
  var colorSpace: Int32 = 0
  let header = data.withUnsafeBufferPointer { bytes in
    tjDecompressHeader3(
      handle, bytes.baseAddress, UInt(bytes.count), &width, &height, &subsampling, &colorSpace)
  }
  guard header == 0 || (tjGetErrorCode(handle) == TJERR_WARNING.rawValue && width > 0) else {
    throw .damaged(name: name, format: "JPEG", reason: reason())
  }
  guard width > 0 && height > 0 else {
    throw .damaged(name: name, format: "JPEG", reason: "the header gives no size")
  }
  try checkPixelCount(width: Int(width), height: Int(height), name: name)

  let isGrey = colorSpace == Int32(TJCS_GRAY.rawValue)
  let isCMYK =
    colorSpace == Int32(TJCS_CMYK.rawValue) || colorSpace == Int32(TJCS_YCCK.rawValue)
  let format = isGrey ? TJPF_GRAY : isCMYK ? TJPF_CMYK : TJPF_RGB
  let channels = isGrey ? 1 : isCMYK ? 4 : 3
  let count = Int(width) * Int(height) * channels

  func decode(stopOnWarning: Bool) -> (code: Int32, pixels: [UInt8]) {
    var code: Int32 = 0
    let flags =
      Int32(TJFLAG_ACCURATEDCT) | Int32(TJFLAG_LIMITSCANS)
      | (stopOnWarning ? Int32(TJFLAG_STOPONWARNING) : 0)
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      code = data.withUnsafeBufferPointer { bytes in
        tjDecompress2(
          handle, bytes.baseAddress, UInt(bytes.count), buffer.baseAddress, width, 0, height,
          Int32(format.rawValue), flags)
      }
      used = code == 0 || !stopOnWarning ? count : 0
    }
    return (code, pixels)
  }

  // Cut-off and damaged data show as warnings only, so the first warning stops the decoder; the
  // few that leave every pixel right are let through by a second pass.
  var result = decode(stopOnWarning: true)
  if result.code != 0 && isHarmless(reason()) { result = decode(stopOnWarning: false) }
  guard result.code == 0 || isHarmless(reason()) else {
    throw .damaged(name: name, format: "JPEG", reason: reason())
  }
  if isCMYK {
    return rgbFromCMYK(
      result.pixels, width: Int(width), height: Int(height), inverted: hasAdobeMarker(data))
  }
  return Image(
    width: Int(width), height: Int(height), channels: channels, pixels: result.pixels)
}

/// True for libjpeg's warnings after which the picture is still complete.
private func isHarmless(_ warning: String) -> Bool {
  warning.contains("extraneous bytes before marker")
    || warning.contains("unknown JFIF revision")
    || warning.contains("Unknown Adobe color transform")
}

/// Adobe's programs store CMYK inverted and say so in an APP14 marker.
private func hasAdobeMarker(_ data: [UInt8]) -> Bool {
  var position = 2
  while position + 9 <= data.count, data[position] == 0xff {
    let marker = data[position + 1]
    if marker == 0xda { return false }
    if marker == 0xee, Array(data[(position + 4)..<(position + 9)]) == Array("Adobe".utf8) {
      return true
    }
    position += 2 + Int(data[position + 2]) << 8 + Int(data[position + 3])
  }
  return false
}

private func rgbFromCMYK(_ values: [UInt8], width: Int, height: Int, inverted: Bool) -> Image {
  Image(width: width, height: height, channels: 3) { target in
    let flip: UInt8 = inverted ? 0 : 255
    for pixel in 0..<(width * height) {
      let light = UInt32(values[4 * pixel + 3] ^ flip)
      for channel in 0..<3 {
        let product = UInt32(values[4 * pixel + channel] ^ flip) &* light &+ 128
        target[3 * pixel + channel] = UInt8(truncatingIfNeeded: (product &+ product >> 8) >> 8)
      }
    }
  }
}
