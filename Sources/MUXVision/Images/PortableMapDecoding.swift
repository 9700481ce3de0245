// SPDX-License-Identifier: Apache-2.0
import MUXImages

extension ImageFile {
  /// A portable bitmap (P4), grey map (P5) or pixel map (P6). Samples below another maximum than 255
  /// are scaled.
  func portableMap() throws(ImageError) -> Image {
    let kind = data[1] - UInt8(ascii: "0")
    guard kind >= 4 else { throw unsupported("P\(kind), samples written as text") }
    var position = 2
    let width = try number(&position, upTo: 1 << 31)
    let height = try number(&position, upTo: 1 << 31)
    let largest = kind == 4 ? 1 : try number(&position, upTo: 65_535)
    guard width > 0 && height > 0 && largest > 0 else {
      throw damaged("the header gives no size")
    }
    position += 1  // one white space
    let channels = kind == 6 ? 3 : 1
    try check(width: width, height: height, channels: channels, working: 0)
    let size = largest > 255 ? 2 : 1
    let row = kind == 4 ? (width + 7) / 8 : width * channels * size
    guard position <= data.count, row <= (data.count - position) / height else {
      throw damaged("the file is cut off")
    }
    let first = position
    if kind == 4 {
      return Image(width: width, height: height, channels: 1) { target in
        for y in 0..<height {
          for x in 0..<width {
            let isBlack = data[first + y * row + x / 8] >> (7 - x % 8) & 1 == 1
            target[y * width + x] = isBlack ? 0 : 255
          }
        }
      }
    }
    let scaled = (0...(size == 1 ? 255 : 65_535)).map { value in
      UInt8(min(255, (Double(value) / Double(largest) * 255).rounded(.toNearestOrEven)))
    }
    return Image(width: width, height: height, channels: channels) { target in
      for index in 0..<(width * height * channels) {
        let place = first + index * size
        target[index] =
          scaled[size == 1 ? Int(data[place]) : Int(data[place]) << 8 | Int(data[place + 1])]
      }
    }
  }

  /// The next number of the header, after white space and comments.
  private func number(_ position: inout Int, upTo limit: Int) throws(ImageError) -> Int {
    var value: Int?
    while position < data.count {
      let byte = data[position]
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
        if let value, value > limit { throw damaged("a number of the header is too large") }
      } else if let value {
        return value
      } else if byte == UInt8(ascii: "#") {
        while position < data.count, data[position] != 0x0a, data[position] != 0x0d {
          position += 1
        }
      } else if !(byte == 0x20 || (0x09...0x0d).contains(byte)) {
        throw damaged("the header is not a number")
      }
      position += 1
    }
    throw damaged("the file is cut off")
  }
}
