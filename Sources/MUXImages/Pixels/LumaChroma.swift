// SPDX-License-Identifier: Apache-2.0

/// What the luma and chroma values of a camera or a video decoder mean.
public struct LumaChromaEncoding: Sendable, Hashable {
  /// How luma was made of red, green and blue.
  public enum Matrix: String, Sendable, Hashable, CaseIterable {
    /// ITU-R BT.601: standard definition, JPEG, most cameras' still images.
    case bt601
    /// ITU-R BT.709: high definition.
    case bt709
    /// ITU-R BT.2020, not constant luminance: ultra high definition.
    case bt2020

    var shares: (red: Double, blue: Double) {
      switch self {
      case .bt601: (0.299, 0.114)
      case .bt709: (0.2126, 0.0722)
      case .bt2020: (0.2627, 0.0593)
      }
    }
  }

  /// How luma was made.
  public var matrix: Matrix
  /// Whether values use all of 0…255, as in JPEG; else luma uses 16…235 and chroma 16…240, as in video.
  public var isFullRange: Bool

  /// An encoding.
  public init(_ matrix: Matrix = .bt601, isFullRange: Bool = false) {
    self.matrix = matrix
    self.isFullRange = isFullRange
  }
}

extension Image {
  /// An image from NV12: a plane of luma, and one of half the width and height in which blue and red
  /// chroma take turns. Cameras and video decoders give it. Each chroma value serves its four pixels as
  /// it is. The bytes are copied.
  ///
  /// ```swift
  /// let image = try Image(
  ///   width: 1280, height: 720, luma: planes[0], lumaBytesPerRow: 1280,
  ///   chroma: planes[1], chromaBytesPerRow: 1280, encoding: LumaChromaEncoding(.bt709))
  /// ```
  ///
  /// - Parameters:
  ///   - width: Pixels per row. Where it is odd, the last pair of chroma values serves one column.
  ///   - height: Rows, from top to bottom.
  ///   - luma: A byte for each pixel; an array, `Data`, an `UnsafeRawBufferPointer`.
  ///   - lumaBytesPerRow: Bytes from one row of luma to the next. The last row need not be filled up.
  ///   - chroma: Two bytes for each 2×2 pixels: blue, red.
  ///   - chromaBytesPerRow: Bytes from one row of chroma to the next.
  ///   - encoding: What the values mean.
  /// - Throws: ``ImageError/badBuffer(reason:)`` where the numbers do not go together.
  public init(
    width: Int, height: Int, luma: some Collection<UInt8>, lumaBytesPerRow: Int,
    chroma: some Collection<UInt8>, chromaBytesPerRow: Int,
    encoding: LumaChromaEncoding = LumaChromaEncoding()
  ) throws(ImageError) {
    try Image.checkSize(width: width, height: height)
    try Image.checkPlane(
      "luma", rowBytes: width, rows: height, bytesPerRow: lumaBytesPerRow, count: luma.count)
    let pairs = (width + 1) / 2
    try Image.checkPlane(
      "chroma", rowBytes: 2 * pairs, rows: (height + 1) / 2, bytesPerRow: chromaBytesPerRow,
      count: chroma.count)
    let conversion = LumaChromaConversion(encoding)
    let image = Image.withBytes(luma) { luma in
      Image.withBytes(chroma) { chroma in
        Image(width: width, height: height, channels: 3) { target in
          guard let luma = luma.baseAddress, let chroma = chroma.baseAddress else { return }
          for y in 0..<height {
            conversion.convert(
              luma + y * lumaBytesPerRow, chroma + y / 2 * chromaBytesPerRow,
              to: target + 3 * y * width, count: width)
          }
        }
      }
    }
    self = image
  }

  /// An image from NV12 in one buffer: the rows of luma, then those of chroma, all with the same stride.
  ///
  /// - Parameters:
  ///   - width: Pixels per row.
  ///   - height: Rows, from top to bottom.
  ///   - bytes: The rows of luma, then half as many of chroma.
  ///   - bytesPerRow: Bytes from one row to the next; nil where rows follow each other without gaps,
  ///     those of luma filled up to an even number.
  ///   - encoding: What the values mean.
  /// - Throws: ``ImageError/badBuffer(reason:)`` where the numbers do not go together.
  public init(
    width: Int, height: Int, nv12 bytes: some Collection<UInt8>, bytesPerRow: Int? = nil,
    encoding: LumaChromaEncoding = LumaChromaEncoding()
  ) throws(ImageError) {
    try Image.checkSize(width: width, height: height)
    let stride = bytesPerRow ?? (width + 1) / 2 * 2
    // The last row of chroma need not be filled up; those of luma must, since chroma comes after them.
    let (lumaCount, overflow) = stride.multipliedReportingOverflow(by: height)
    guard stride >= 0, !overflow, lumaCount <= bytes.count else {
      throw .badBuffer(
        reason:
          "\(bytes.count) bytes are not NV12 of \(width)×\(height) pixels with \(stride) bytes"
          + " from row to row; luma alone takes \(overflow ? .max : lumaCount)")
    }
    try self.init(
      width: width, height: height, luma: bytes.prefix(lumaCount), lumaBytesPerRow: stride,
      chroma: bytes.dropFirst(lumaCount), chromaBytesPerRow: stride, encoding: encoding)
  }

  private static func checkPlane(
    _ name: String, rowBytes: Int, rows: Int, bytesPerRow: Int, count: Int
  ) throws(ImageError) {
    guard bytesPerRow >= rowBytes, bytesPerRow <= 1 << 32 else {
      throw .badBuffer(
        reason: "\(bytesPerRow) bytes from row to row of \(name) are not possible: a row takes"
          + " \(rowBytes)")
    }
    let needed = (rows - 1) * bytesPerRow + rowBytes
    guard count >= needed else {
      throw .badBuffer(
        reason: "\(count) bytes of \(name) are too few for \(rows) rows with \(bytesPerRow) bytes"
          + " from row to row; that takes \(needed)")
    }
  }

  private static func withBytes<Result>(
    _ bytes: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    bytes.withContiguousStorageIfAvailable(body) ?? Array(bytes).withUnsafeBufferPointer(body)
  }
}

/// Luma and chroma to colours, in 16 fractional bits.
private struct LumaChromaConversion {
  private let lumaZero: Int32, luma: Int32
  private let redOfRed: Int32, greenOfBlue: Int32, greenOfRed: Int32, blueOfBlue: Int32

  init(_ encoding: LumaChromaEncoding) {
    let shares = encoding.matrix.shares
    let green = 1 - shares.red - shares.blue
    let (lumaScale, chromaScale) =
      encoding.isFullRange ? (1.0, 1.0) : (255.0 / 219, 255.0 / 224)
    func fixed(_ value: Double) -> Int32 { Int32((value * 65536).rounded()) }
    lumaZero = encoding.isFullRange ? 0 : 16
    luma = fixed(lumaScale)
    redOfRed = fixed(chromaScale * 2 * (1 - shares.red))
    blueOfBlue = fixed(chromaScale * 2 * (1 - shares.blue))
    greenOfBlue = fixed(-chromaScale * 2 * (1 - shares.blue) * shares.blue / green)
    greenOfRed = fixed(-chromaScale * 2 * (1 - shares.red) * shares.red / green)
  }

  func convert(
    _ line: UnsafePointer<UInt8>, _ chroma: UnsafePointer<UInt8>,
    to target: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    for x in 0..<count {
      let value = (Int32(line[x]) &- lumaZero) &* luma &+ 0x8000
      let blue = Int32(chroma[x & ~1]) &- 128, red = Int32(chroma[x | 1]) &- 128
      target[3 &* x] = Self.byte(value &+ red &* redOfRed)
      target[3 &* x &+ 1] = Self.byte(value &+ blue &* greenOfBlue &+ red &* greenOfRed)
      target[3 &* x &+ 2] = Self.byte(value &+ blue &* blueOfBlue)
    }
  }

  private static func byte(_ fixed: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: max(0, min(255, fixed >> 16)))
  }
}
