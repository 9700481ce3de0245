// SPDX-License-Identifier: Apache-2.0
import CImageCodecs
public import MUXCore
public import MUXImages

extension Image {
  /// More pixels than this in one file are refused.
  public static let pixelLimit = 1 << 28

  /// The most bytes that decoding a file of `fileSize` bytes may take, result and working memory
  /// together: 256 MiB (a picture of 89 million pixels) and 64 times the file. Files of real pictures
  /// stay far below; those that unpack to a thousand times their size are refused.
  static func decodingLimit(fileSize: Int) -> Int { 256 << 20 + 64 * fileSize }

  /// Reads an image file of a readable format (`ImageFormat.readable`), which is told by its first
  /// bytes, not by its extension.
  ///
  /// Samples come as they are stored: gamma and colour profiles change nothing, transparency is
  /// dropped, not blended; 16-bit samples keep their high byte, CMYK becomes RGB by its plain formula.
  /// All this is what Pillow's `convert("RGB")` does (which, though, cuts off 16-bit grey at 255).
  /// The result has 1 channel for a grey file and 3 for any other.
  ///
  /// A file is read if every pixel of its picture is there. A missing end marker, damage in what
  /// stands beside the picture, and bytes after the end do no harm; anything less is an error.
  /// - Parameters:
  ///   - path: The file.
  ///   - orientation: What is done with an orientation of EXIF or XMP.
  /// - Throws: `ImageError`, which names the file, if it is unreadable, cut off, damaged, or would
  ///   take more memory than `decodingLimit(fileSize:)`.
  public init(
    contentsOfFile path: String, orientation: OrientationHandling = .applied
  ) throws(ImageError) {
    try self.init(data: FileAccess.read(path), name: path, orientation: orientation)
  }

  /// Decodes an image file that is in memory.
  /// - Parameters:
  ///   - data: The bytes of the file.
  ///   - name: What errors call it.
  ///   - orientation: What is done with an orientation of EXIF or XMP.
  /// - Throws: `ImageError`, as `init(contentsOfFile:orientation:)`.
  public init(
    data: [UInt8], name: String = "the image", orientation: OrientationHandling = .applied
  ) throws(ImageError) {
    let (file, stored) = try ImageFile.opened(data, name: name, orientation: orientation)
    self = try file.picture().upright(from: stored)
  }

  /// The size of the picture in an image file, of which the header alone is looked at: a file whose pixels
  /// are damaged has one, too.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - orientation: What is done with an orientation of EXIF or XMP.
  /// - Throws: `ImageError`, which names the file.
  public static func size(
    ofFile path: String, orientation: OrientationHandling = .applied
  ) throws(ImageError) -> ImageSize {
    let (file, stored) = try ImageFile.opened(
      FileAccess.read(path), name: path, orientation: orientation)
    let size = try file.size()
    return stored.swapsSides ? ImageSize(height: size.width, width: size.height) : size
  }
}

/// The bytes of a file whose format is known.
struct ImageFile {
  let data: [UInt8]
  /// What errors call it.
  let name: String
  let format: ImageFormat
  /// Whether the picture will be turned, which takes its memory twice.
  let isTurned: Bool

  /// A library's function that reads the header of a file.
  private typealias Opener =
    (UnsafePointer<UInt8>?, Int) -> UnsafeMutablePointer<mux_decoder>?

  /// The file of some bytes, and how its picture lies.
  static func opened(
    _ data: [UInt8], name: String, orientation: OrientationHandling
  ) throws(ImageError) -> (file: ImageFile, stored: ImageOrientation) {
    guard let format = ImageFormat(of: data) else {
      guard !data.isEmpty else {
        throw .damaged(name: name, format: "image", reason: "the file is empty")
      }
      throw .unknownFormat(name: name)
    }
    let stored =
      orientation == .applied ? ExifOrientation.of(data, format: format) : .upright
    return (
      ImageFile(data: data, name: name, format: format, isTurned: stored != .upright), stored
    )
  }

  /// The picture as it is stored.
  func picture() throws(ImageError) -> Image {
    switch format {
    case .bmp: try BitmapFile(self).picture()
    case .pnm: try portableMap()
    default: try decoded(try opener())
    }
  }

  /// The size of the picture as it is stored; but for two plain formats without decoding it.
  func size() throws(ImageError) -> ImageSize {
    switch format {
    case .bmp, .pnm: try picture().size
    default: try headerSize(try opener())
    }
  }

  /// The library for the format.
  private func opener() throws(ImageError) -> Opener {
    switch format {
    case .jpeg: return mux_open_jpeg
    case .png: return mux_open_png
    #if WEBP
      case .webp: return mux_open_webp
    #endif
    #if GIF
      case .gif: return mux_open_gif
    #endif
    #if TIFF
      case .tiff: return mux_open_tiff
    #endif
    default:
      throw .unreadFormat(name: name, reason: format.reasonUnread ?? "\(format.name) is not read")
    }
  }

  /// What a library finds in the header.
  private func headerSize(_ open: Opener) throws(ImageError) -> ImageSize {
    let result: Result<ImageSize, ImageError> = data.withUnsafeBufferPointer { bytes in
      guard let decoder = open(bytes.baseAddress, bytes.count) else {
        return .failure(damaged("no memory for its decoder"))
      }
      defer { decoder.pointee.close(decoder) }
      let (width, height) = (Int(decoder.pointee.width), Int(decoder.pointee.height))
      guard width > 0 && height > 0 else { return .failure(failure(decoder)) }
      return .success(ImageSize(height: height, width: width))
    }
    return try result.get()
  }

  /// Why a decoder failed.
  private func failure(_ decoder: UnsafeMutablePointer<mux_decoder>) -> ImageError {
    let reason = withUnsafeBytes(of: decoder.pointee.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return decoder.pointee.is_unsupported ? unsupported(reason) : damaged(reason)
  }

  /// What a library makes of the file.
  private func decoded(_ open: Opener) throws(ImageError) -> Image {
    let result: Result<Image, ImageError> = data.withUnsafeBufferPointer { bytes in
      guard let decoder = open(bytes.baseAddress, bytes.count) else {
        return .failure(damaged("no memory for its decoder"))
      }
      defer { decoder.pointee.close(decoder) }
      let width = Int(decoder.pointee.width)
      let height = Int(decoder.pointee.height)
      let channels = Int(decoder.pointee.channels)
      guard width > 0 && height > 0 else { return .failure(failure(decoder)) }
      do throws(ImageError) {
        try check(
          width: width, height: height, channels: channels,
          working: Int(clamping: decoder.pointee.working_bytes))
      } catch {
        return .failure(error)
      }
      var isComplete = false
      let count = width * height * channels
      let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
        isComplete = decoder.pointee.read(decoder, buffer.baseAddress)
        used = isComplete ? count : 0
      }
      guard isComplete else { return .failure(failure(decoder)) }
      return .success(Image(width: width, height: height, channels: channels, pixels: pixels))
    }
    return try result.get()
  }

  /// Refuses a picture that is too large, before memory is taken.
  /// - Parameter working: The bytes that decoding takes beside the picture.
  func check(width: Int, height: Int, channels: Int, working: Int) throws(ImageError) {
    let (count, isHuge) = width.multipliedReportingOverflow(by: height)
    guard !isHuge && count <= Image.pixelLimit else {
      throw .tooLarge(name: name, width: width, height: height, limit: Image.pixelLimit)
    }
    let (needed, overflow) = working.addingReportingOverflow(count * channels * (isTurned ? 2 : 1))
    guard !overflow && needed <= Image.decodingLimit(fileSize: data.count) else {
      throw .unpacksTooFar(
        name: name, width: width, height: height, bytes: overflow ? .max : needed,
        fileSize: data.count)
    }
  }

  /// The error of a file that is cut off or wrong.
  func damaged(_ reason: String) -> ImageError {
    .damaged(name: name, format: format.name, reason: reason)
  }

  /// The error of a file that is sound, but of a kind that is not read.
  func unsupported(_ kind: String) -> ImageError {
    .unreadFormat(
      name: name,
      reason: "this form of \(format.name) is not read (\(kind)); convert it to PNG or to an"
        + " ordinary JPEG")
  }
}
