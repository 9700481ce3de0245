// SPDX-License-Identifier: Apache-2.0
import MUXImages

/// A Windows bitmap: 1, 4, 8 (also run-length coded), 16, 24 and 32 bits a pixel, headers since OS/2
/// 1 and Windows 3.
struct BitmapFile {
  private let file: ImageFile
  private let width: Int
  private let height: Int
  private let isTopDown: Bool
  private let bits: Int
  private let compression: Int
  private let start: Int  // of the pixels
  private let palette: [UInt8]  // RGB, black beyond what the file has
  private let masks: [UInt32]  // red, green, blue

  private static let runLength8 = 1
  private static let runLength4 = 2
  private static let bitFields = 3

  /// Reads the headers.
  init(_ file: ImageFile) throws(ImageError) {
    let data = file.data
    func short(_ at: Int) -> Int { Int(data[at]) | Int(data[at + 1]) << 8 }
    func long(_ at: Int) -> Int { short(at) | short(at + 2) << 16 }
    guard data.count >= 18, data.count >= 14 + long(14) else {
      throw file.damaged("the file is cut off")
    }
    let size = long(14)
    let isOld = size == 12  // OS/2's first
    guard isOld || size >= 40 else { throw file.unsupported("a header of \(size) bytes") }
    let tall = isOld ? short(20) : Int(Int32(truncatingIfNeeded: long(22)))
    width = isOld ? short(18) : Int(Int32(truncatingIfNeeded: long(18)))
    height = abs(tall)
    isTopDown = tall < 0
    bits = short(isOld ? 24 : 28)
    compression = isOld ? 0 : long(30)
    start = long(10)
    self.file = file
    guard width > 0 && height > 0 else { throw file.damaged("the header gives no size") }
    let isRight =
      switch compression {
      case 0: [1, 4, 8, 16, 24, 32].contains(bits)
      case Self.runLength8: bits == 8
      case Self.runLength4: bits == 4
      case Self.bitFields: bits == 16 || bits == 32
      default: false
      }
    guard isRight else {
      throw file.unsupported("compression \(compression) of \(bits) bits a pixel")
    }

    var masks: [UInt32] =
      bits == 16 ? [0x7c00, 0x03e0, 0x001f] : [0xff_0000, 0x00_ff00, 0x00_00ff]
    var tables = 14 + size
    if compression == Self.bitFields {
      guard data.count >= 14 + 40 + 12 else { throw file.damaged("the file is cut off") }
      masks = (0..<3).map { UInt32(truncatingIfNeeded: long(54 + 4 * $0)) }
      if size == 40 { tables += 12 }
      // A mask is one run of ones.
      guard
        masks.allSatisfy({
          $0 != 0 && ($0 >> $0.trailingZeroBitCount) & (($0 >> $0.trailingZeroBitCount) &+ 1) == 0
        })
      else { throw file.damaged("impossible masks for its colours") }
    }
    self.masks = masks

    var palette: [UInt8] = []
    if bits <= 8 {
      let entry = isOld ? 3 : 4
      let used = isOld ? 0 : long(46)
      let count = used > 0 ? min(used, 256) : 1 << bits
      guard tables + count * entry <= data.count else { throw file.damaged("the file is cut off") }
      palette = [UInt8](repeating: 0, count: 3 * 256)
      for index in 0..<count {
        for channel in 0..<3 {
          palette[3 * index + channel] = data[tables + index * entry + 2 - channel]
        }
      }
    }
    self.palette = palette
  }

  func picture() throws(ImageError) -> Image {
    let isRunLength = compression == Self.runLength8 || compression == Self.runLength4
    try file.check(
      width: width, height: height, channels: 3, working: isRunLength ? width * height : 0)
    let indices = isRunLength ? try runs() : []
    let stride = isRunLength ? width : (width * bits + 31) / 32 * 4
    let source = isRunLength ? indices : file.data
    let first = isRunLength ? 0 : start
    // The padding after the last row may be missing.
    guard isRunLength || first + stride * (height - 1) + (width * bits + 7) / 8 <= source.count
    else {
      throw file.damaged("the file is cut off")
    }
    let depth = isRunLength ? 8 : bits
    return Image(width: width, height: height, channels: 3) { target in
      for y in 0..<height {
        let row = first + (isTopDown ? y : height - 1 - y) * stride
        let out = target + y * width * 3
        source.withUnsafeBufferPointer { bytes in
          write(bytes, from: row, depth: depth, to: out)
        }
      }
    }
  }

  private func write(
    _ bytes: UnsafeBufferPointer<UInt8>, from row: Int, depth: Int,
    to out: UnsafeMutablePointer<UInt8>
  ) {
    switch depth {
    case 1, 4, 8:
      let perByte = 8 / depth
      for x in 0..<width {
        let shift = 8 - depth * (x % perByte + 1)
        let index = Int(bytes[row + x / perByte] >> shift) & ((1 << depth) - 1)
        for channel in 0..<3 { out[3 * x + channel] = palette[3 * index + channel] }
      }
    case 24:
      for x in 0..<width {
        for channel in 0..<3 { out[3 * x + channel] = bytes[row + 3 * x + 2 - channel] }
      }
    default:
      let size = depth / 8
      for x in 0..<width {
        var value: UInt32 = 0
        for byte in 0..<size { value |= UInt32(bytes[row + size * x + byte]) << (8 * byte) }
        for channel in 0..<3 {
          let mask = masks[channel]
          let shift = mask.trailingZeroBitCount
          let share = UInt64((value & mask) >> shift) * 255 / UInt64(mask >> shift)
          out[3 * x + channel] = UInt8(share)
        }
      }
    }
  }

  /// Unpacks the runs to an index a pixel, in the order of the file's rows; what they leave out is 0.
  private func runs() throws(ImageError) -> [UInt8] {
    var indices = [UInt8](repeating: 0, count: width * height)
    let data = file.data
    var position = start
    var x = 0
    var y = 0
    func byte() throws(ImageError) -> Int {
      guard position < data.count else { throw file.damaged("the file is cut off") }
      position += 1
      return Int(data[position - 1])
    }
    func put(_ value: Int) throws(ImageError) {
      guard x < width && y < height else { throw file.damaged("a run beyond its row") }
      indices[y * width + x] = UInt8(value)
      x += 1
    }
    while true {
      let count = try byte()
      let value = try byte()
      if count > 0 {
        for step in 0..<count {
          try put(bits == 8 ? value : step & 1 == 0 ? value >> 4 : value & 15)
        }
        continue
      }
      switch value {
      case 0:
        x = 0
        y += 1
      case 1: return indices
      case 2:
        x += try byte()
        y += try byte()
      default:
        var pair = 0
        for step in 0..<value {
          if bits == 8 {
            try put(byte())
          } else {
            if step & 1 == 0 { pair = try byte() }
            try put(step & 1 == 0 ? pair >> 4 : pair & 15)
          }
        }
        // Such a run takes a whole number of 16 bits.
        if (bits == 8 ? value : (value + 1) / 2) & 1 == 1 { _ = try byte() }
      }
    }
  }
}
