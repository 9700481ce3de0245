// SPDX-License-Identifier: Apache-2.0

/// The formats of image files that are known, read or not.
///
/// A file is decoded by what it holds (``init(of:)``); its extension (``init(fileName:)``) only says
/// whether a file in a folder is taken for an image. Files of formats that are known but not read
/// are never passed over in silence: whoever lists a folder counts them, with ``reasonUnread``.
public enum ImageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// JPEG: baseline, extended, progressive, arithmetic; 8 bits a sample.
  case jpeg
  /// PNG of every colour type and depth.
  case png
  /// WebP, of an animation the first picture. Read where libwebp was there at build time.
  case webp
  /// GIF, of an animation the first picture. Read where giflib was there at build time.
  case gif
  /// Windows bitmap.
  case bmp
  /// TIFF, the first page. Read where libtiff was there at build time.
  case tiff
  /// Portable pixel map, grey map and bitmap, in binary.
  case pnm
  /// HEIF with HEVC, the photographs of phones.
  case heic
  /// HEIF with AV1.
  case avif
  /// JPEG 2000.
  case jpeg2000
  /// JPEG XL.
  case jpegXL
  /// Windows icons and cursors.
  case icon
  /// Photoshop documents.
  case photoshop
  /// Truevision TGA.
  case targa
  /// OpenEXR.
  case openEXR
  /// Radiance.
  case radiance
  /// Drawings of paths, not of pixels.
  case svg
  /// A camera's raw samples.
  case raw

  /// The formats that are read, in the order of `allCases`.
  public static let readable: [ImageFormat] = allCases.filter(\.isReadable)

  /// Whether files of this format are decoded.
  public var isReadable: Bool { reasonUnread == nil }

  /// Why files of this format are not decoded, and what helps; nil if they are.
  public var reasonUnread: String? {
    switch self {
    case .jpeg, .png, .bmp, .pnm: nil
    #if WEBP
      case .webp: nil
    #else
      case .webp: withoutLibrary("libwebp")
    #endif
    #if GIF
      case .gif: nil
    #else
      case .gif: withoutLibrary("giflib")
    #endif
    #if TIFF
      case .tiff: nil
    #else
      case .tiff: withoutLibrary("libtiff")
    #endif
    case .heic, .avif, .jpeg2000, .jpegXL, .icon, .photoshop, .targa, .openEXR, .radiance, .svg,
      .raw:
      "\(name) is not read; convert it to JPEG or PNG"
    }
  }

  #if !WEBP || !GIF || !TIFF
    private func withoutLibrary(_ library: String) -> String {
      "\(name) is not read, since \(library) was not there when this program was built; build it"
        + " again with \(library), or convert the file to JPEG or PNG"
    }
  #endif

  /// What people call the format.
  public var name: String {
    switch self {
    case .jpeg: "JPEG"
    case .png: "PNG"
    case .webp: "WebP"
    case .gif: "GIF"
    case .bmp: "BMP"
    case .tiff: "TIFF"
    case .pnm: "PNM"
    case .heic: "HEIC"
    case .avif: "AVIF"
    case .jpeg2000: "JPEG 2000"
    case .jpegXL: "JPEG XL"
    case .icon: "Windows icon"
    case .photoshop: "Photoshop"
    case .targa: "TGA"
    case .openEXR: "OpenEXR"
    case .radiance: "Radiance HDR"
    case .svg: "SVG"
    case .raw: "raw camera file"
    }
  }

  /// The extensions of such files in lower case, without the dot, the usual one first.
  public var fileExtensions: [String] {
    switch self {
    case .jpeg: ["jpg", "jpeg", "jpe", "jfif", "mpo"]
    case .png: ["png", "apng"]
    case .webp: ["webp"]
    case .gif: ["gif"]
    case .bmp: ["bmp", "dib"]
    case .tiff: ["tif", "tiff"]
    case .pnm: ["ppm", "pgm", "pbm", "pnm"]
    case .heic: ["heic", "heif", "hif"]
    case .avif: ["avif"]
    case .jpeg2000: ["jp2", "j2k", "jpf", "jpx", "j2c", "jpc"]
    case .jpegXL: ["jxl"]
    case .icon: ["ico", "cur"]
    case .photoshop: ["psd", "psb"]
    case .targa: ["tga"]
    case .openEXR: ["exr"]
    case .radiance: ["hdr"]
    case .svg: ["svg", "svgz"]
    case .raw:
      ["dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "orf", "rw2", "raf", "pef", "srw", "3fr"]
    }
  }

  private static let byExtension = Dictionary(
    allCases.flatMap { format in format.fileExtensions.map { ($0, format) } },
    uniquingKeysWith: { first, _ in first })

  /// The format that a file's extension names, in any case; nil if it names none of these.
  public init?(fileName: String) {
    // By bytes: no name is normalised, and a folder may hold a million of them.
    guard let dot = fileName.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
    let end = fileName.utf8[fileName.utf8.index(after: dot)...]
    guard end.count <= 5, let format = Self.byExtension[String(Substring(end)).lowercased()] else {
      return nil
    }
    self = format
  }

  /// True if a file of this name is taken for an image that is read.
  public static func isImageName(_ name: String) -> Bool {
    ImageFormat(fileName: name)?.isReadable ?? false
  }

  /// Tells the format by the first bytes of a file; nil if it is another. Formats without a mark of
  /// their own (TGA; most raw files, which are TIFF files inside) are not told.
  public init?(of data: [UInt8]) {
    func has(_ text: StaticString, at offset: Int = 0) -> Bool {
      Self.has(data, text, at: offset)
    }
    func has(_ mark: [UInt8]) -> Bool { data.starts(with: mark) }

    if has([0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if has([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else if has("RIFF"), has("WEBP", at: 8) {
      self = .webp
    } else if has("GIF87a") || has("GIF89a") {
      self = .gif
    } else if has([0x49, 0x49, 0x2a, 0]) || has([0x4d, 0x4d, 0, 0x2a])  // II*, MM*
      || has([0x49, 0x49, 0x2b, 0]) || has([0x4d, 0x4d, 0, 0x2b])  // BigTIFF
    {
      self = has("CR", at: 8) ? .raw : .tiff
    } else if has("ftyp", at: 4) {
      guard let format = Self.brand(of: data) else { return nil }
      self = format
    } else if has([0, 0, 0, 0x0c]), has("jP  ", at: 4) {
      self = .jpeg2000
    } else if has([0xff, 0x4f, 0xff, 0x51]) {
      self = .jpeg2000
    } else if has([0, 0, 0, 0x0c]), has("JXL ", at: 4) {
      self = .jpegXL
    } else if has([0xff, 0x0a]) {
      self = .jpegXL
    } else if has("8BPS") {
      self = .photoshop
    } else if has([0x76, 0x2f, 0x31, 0x01]) {
      self = .openEXR
    } else if has("#?RADIANCE") || has("#?RGBE") {
      self = .radiance
    } else if has("<svg") {
      self = .svg
    } else if has("FUJIFILMCCD-RAW") {
      self = .raw
    } else if Self.isBitmap(data) {
      self = .bmp
    } else if Self.isAnymap(data) {
      self = .pnm
    } else if data.count >= 6, has([0, 0, 1, 0]) || has([0, 0, 2, 0]), data[4] > 0, data[5] == 0 {
      self = .icon
    } else {
      return nil
    }
  }

  private static func has(_ data: [UInt8], _ text: StaticString, at offset: Int = 0) -> Bool {
    text.withUTF8Buffer { mark in
      data.count >= offset + mark.count
        && data[offset..<(offset + mark.count)].elementsEqual(mark)
    }
  }

  /// The format of a file of boxes (ISO base media): its brand stands after `ftyp`.
  private static func brand(of data: [UInt8]) -> ImageFormat? {
    func has(_ brand: StaticString) -> Bool { Self.has(data, brand, at: 8) }
    if has("avif") || has("avis") { return .avif }
    if has("crx ") { return .raw }
    return has("hei") || has("hev") || has("mif1") || has("msf1") ? .heic : nil
  }

  private static func isBitmap(_ data: [UInt8]) -> Bool {
    data.count >= 18 && has(data, "BM") && bitmapHeaderSizes.contains(data[14])
      && data[15...17].allSatisfy { $0 == 0 }
  }

  private static func isAnymap(_ data: [UInt8]) -> Bool {
    // White space or a comment follows the mark.
    data.count >= 3 && data[0] == UInt8(ascii: "P")
      && (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(data[1])
      && [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x23].contains(data[2])
  }

  /// Sizes of the header that says what a bitmap holds: OS/2's, Windows' since 3.0.
  private static let bitmapHeaderSizes: [UInt8] = [12, 40, 52, 56, 64, 108, 124]
}
