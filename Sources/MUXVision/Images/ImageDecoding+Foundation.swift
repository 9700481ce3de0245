// SPDX-License-Identifier: Apache-2.0
public import Foundation
public import MUXImages

extension Image {
  /// Decodes an image file that is in memory, such as the body of a request.
  ///
  /// ```swift
  /// let guesses = try await pool.classify { try Image(data: upload) }
  /// ```
  /// - Parameters:
  ///   - data: The bytes of the file.
  ///   - name: What errors call it.
  ///   - orientation: What is done with an orientation of EXIF or XMP.
  /// - Throws: `ImageError`, as `init(contentsOfFile:orientation:)`.
  public init(
    data: Data, name: String = "the image", orientation: OrientationHandling = .applied
  ) throws(ImageError) {
    try self.init(data: [UInt8](data), name: name, orientation: orientation)
  }

  /// Reads an image file.
  ///
  /// - Parameters:
  ///   - url: The address of a file; nothing is fetched from elsewhere.
  ///   - orientation: What is done with an orientation of EXIF or XMP.
  /// - Throws: `ImageError`, as `init(contentsOfFile:orientation:)`.
  public init(
    contentsOf url: URL, orientation: OrientationHandling = .applied
  ) throws(ImageError) {
    guard url.isFileURL else {
      throw .unreadable(
        name: url.absoluteString,
        reason: "it is not the address of a file; fetch its bytes and decode those")
    }
    try self.init(
      contentsOfFile: url.path(percentEncoded: false), orientation: orientation)
  }
}
