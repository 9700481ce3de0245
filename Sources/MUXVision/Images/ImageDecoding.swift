// SPDX-License-Identifier: Apache-2.0

extension Image {
  /// More pixels than this in one file are refused (a guard against hostile headers).
  public static let pixelLimit = 1 << 28

  /// Reads a JPEG or PNG file; the format is told by the first bytes, not by the extension.
  ///
  /// The result has 1 channel for a grey file and 3 for any other. Transparency is dropped, EXIF
  /// orientation is not applied.
  /// - Throws: `ImageError`, which names the file, if it is unreadable, cut off or damaged.
  public init(contentsOfFile path: String) throws(ImageError) {
    try self.init(data: FileAccess.read(path), name: path)
  }

  /// Decodes a JPEG or PNG file that is in memory.
  /// - Parameters:
  ///   - data: The bytes of the file.
  ///   - name: What errors call it.
  public init(data: [UInt8], name: String) throws(ImageError) {
    switch ImageFormat(of: data) {
    case .jpeg: self = try decodeJPEG(data, name: name)
    case .png: self = try decodePNG(data, name: name)
    case nil:
      guard !data.isEmpty else {
        throw .damaged(name: name, format: "image", reason: "the file is empty")
      }
      throw .unknownFormat(name: name)
    }
  }
}

/// The file formats that are read.
public enum ImageFormat: String, Sendable, Codable, CaseIterable {
  /// JPEG (baseline and progressive).
  case jpeg
  /// PNG.
  case png

  /// Tells the format by the first bytes of a file; nil if it is another.
  public init?(of data: [UInt8]) {
    if data.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if data.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else {
      return nil
    }
  }

  /// True if a file of this name counts as an image: .jpg, .jpeg or .png in any case.
  public static func isImageName(_ name: String) -> Bool {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    switch name[name.index(after: dot)...].lowercased() {
    case "jpg", "jpeg", "png": return true
    default: return false
    }
  }
}

func checkPixelCount(width: Int, height: Int, name: String) throws(ImageError) {
  let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
  if overflow || pixels > Image.pixelLimit {
    throw .tooLarge(name: name, width: width, height: height, limit: Image.pixelLimit)
  }
}
