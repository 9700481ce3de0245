// SPDX-License-Identifier: Apache-2.0

/// What the bytes of a pixel are, in their order in memory. Alpha is passed over.
public enum PixelFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Red, green, blue.
  case rgb
  /// Blue, green, red.
  case bgr
  /// Red, green, blue, alpha.
  case rgba
  /// Blue, green, red, alpha: what cameras and windows of Apple's systems have.
  case bgra
  /// Alpha, red, green, blue.
  case argb
  /// One byte of luma per pixel.
  case grey

  /// Bytes from one pixel to the next.
  public var bytesPerPixel: Int {
    switch self {
    case .rgb, .bgr: 3
    case .rgba, .bgra, .argb: 4
    case .grey: 1
    }
  }

  /// Where in a pixel red, green and blue are (the one value, of grey).
  var places: (red: Int, green: Int, blue: Int) {
    switch self {
    case .rgb, .rgba: (0, 1, 2)
    case .bgr, .bgra: (2, 1, 0)
    case .argb: (1, 2, 3)
    case .grey: (0, 0, 0)
    }
  }
}

extension Image {
  /// The most pixels of an image that is made of bytes, or scaled.
  package static let mostPixels = 1 << 28

  /// Makes sure that an image of a size can be made.
  static func checkSize(width: Int, height: Int) throws(ImageError) {
    guard width > 0, height > 0, width <= mostPixels, height <= mostPixels,
      width * height <= mostPixels
    else {
      throw .badBuffer(
        reason: "an image cannot have \(width)×\(height) pixels; give 1 to \(mostPixels)")
    }
  }

  /// An image from the bytes of a camera, a window or a decoder, which are copied.
  ///
  /// ```swift
  /// let image = try Image(width: 640, height: 480, format: .bgra, bytesPerRow: 2560, bytes: buffer)
  /// ```
  ///
  /// - Parameters:
  ///   - width: Pixels per row.
  ///   - height: Rows, from top to bottom.
  ///   - format: What a pixel's bytes are.
  ///   - bytesPerRow: Bytes from one row to the next (the stride); nil where rows follow each other
  ///     without gaps. The last row need not be filled up.
  ///   - bytes: An array, `Data`, an `UnsafeRawBufferPointer`; what is behind the last row is passed
  ///     over only if `bytesPerRow` is given.
  /// - Throws: ``ImageError/badBuffer(reason:)`` where the numbers do not go together.
  public init(
    width: Int, height: Int, format: PixelFormat = .rgb, bytesPerRow: Int? = nil,
    bytes: some Collection<UInt8>
  ) throws(ImageError) {
    let layout = try BufferLayout(
      width: width, height: height, format: format, bytesPerRow: bytesPerRow, count: bytes.count)
    let image =
      bytes.withContiguousStorageIfAvailable { Image(layout, $0) }
      ?? Array(bytes).withUnsafeBufferPointer { Image(layout, $0) }
    self = image
  }

  private init(_ layout: BufferLayout, _ bytes: UnsafeBufferPointer<UInt8>) {
    let places = layout.format.places, step = layout.format.bytesPerPixel
    let channels = layout.format == .grey ? 1 : 3
    let width = layout.width
    self.init(width: width, height: layout.height, channels: channels) { target in
      guard let source = bytes.baseAddress else { return }
      for y in 0..<layout.height {
        let line = source + y * layout.bytesPerRow, out = target + y * width * channels
        if step == channels && places.red == 0 {
          out.update(from: line, count: width * channels)
          continue
        }
        for x in 0..<width {
          out[3 &* x] = line[x &* step &+ places.red]
          out[3 &* x &+ 1] = line[x &* step &+ places.green]
          out[3 &* x &+ 2] = line[x &* step &+ places.blue]
        }
      }
    }
  }
}

/// A buffer's numbers, checked against each other.
private struct BufferLayout {
  var width: Int
  var height: Int
  var format: PixelFormat
  var bytesPerRow: Int

  init(
    width: Int, height: Int, format: PixelFormat, bytesPerRow: Int?, count: Int
  ) throws(ImageError) {
    try Image.checkSize(width: width, height: height)
    let row = width * format.bytesPerPixel
    self.bytesPerRow = bytesPerRow ?? row
    self.width = width
    self.height = height
    self.format = format
    guard self.bytesPerRow >= row, self.bytesPerRow <= 1 << 32 else {
      throw .badBuffer(
        reason: "\(self.bytesPerRow) bytes from row to row are not possible: a row of \(width)"
          + " \(format.rawValue) pixels takes \(row)")
    }
    let needed = (height - 1) * self.bytesPerRow + row
    guard bytesPerRow == nil ? count == needed : count >= needed else {
      throw .badBuffer(
        reason: "\(count) bytes are not an image of \(width)×\(height) \(format.rawValue) pixels"
          + " with \(self.bytesPerRow) bytes from row to row; that takes \(needed)")
    }
  }
}
