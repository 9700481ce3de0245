// SPDX-License-Identifier: Apache-2.0
public import MUXImages

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
    case .some(let format):
      throw .unreadFormat(name: name, reason: format.reasonUnread ?? "\(format.name) is not read")
    case nil:
      guard !data.isEmpty else {
        throw .damaged(name: name, format: "image", reason: "the file is empty")
      }
      throw .unknownFormat(name: name)
    }
  }
}

func checkPixelCount(width: Int, height: Int, name: String) throws(ImageError) {
  let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
  if overflow || pixels > Image.pixelLimit {
    throw .tooLarge(name: name, width: width, height: height, limit: Image.pixelLimit)
  }
}
