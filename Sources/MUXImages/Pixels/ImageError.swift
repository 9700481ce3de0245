// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why an image could not be read, changed or written.
public enum ImageError: Sendable, Hashable, DescribedError {
  /// The file could not be opened or read.
  case unreadable(name: String, reason: String)
  /// The file is of no image format that is known (told by its first bytes, not by its extension).
  case unknownFormat(name: String)
  /// The file is of a known format that is not read; the reason says what helps.
  case unreadFormat(name: String, reason: String)
  /// The file is cut off or damaged.
  case damaged(name: String, format: String, reason: String)
  /// The file announces more pixels than the limit.
  case tooLarge(name: String, width: Int, height: Int, limit: Int)
  /// Decoding would take far more memory than the file's size explains.
  case unpacksTooFar(name: String, width: Int, height: Int, bytes: Int, fileSize: Int)
  /// An image would be scaled to more pixels than the limit.
  case scaledTooLarge(width: Int, height: Int, size: ImageSize, limit: Int)
  /// The image is smaller than the crop that was asked for.
  case tooSmall(width: Int, height: Int, neededWidth: Int, neededHeight: Int)
  /// Bytes in memory that are no image of the given size and format.
  case badBuffer(reason: String)
  /// The image could not be encoded.
  case notEncodable(reason: String)
  /// The file could not be written.
  case unwritable(path: String, reason: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .unreadable(let name, let reason):
      "\(name): cannot read the file (\(reason)); check the path and its permissions"
    case .unknownFormat(let name):
      "\(name): not an image of a known format; convert it to JPEG or PNG, or remove it"
    case .unreadFormat(let name, let reason):
      "\(name): \(reason)"
    case .damaged(let name, let format, let reason):
      "\(name): damaged \(format) file (\(reason)); replace or remove it"
    case .tooLarge(let name, let width, let height, let limit):
      "\(name): \(width)×\(height) pixels are more than the limit of \(limit); scale the file down"
    case .unpacksTooFar(let name, let width, let height, let bytes, let fileSize):
      "\(name): \(width)×\(height) pixels would take \(bytes >> 20) MiB, too much for a file of"
        + " \((fileSize + 1023) >> 10) KiB; scale the picture down"
    case .scaledTooLarge(let width, let height, let size, let limit):
      "an image of \(width)×\(height) would be scaled to \(size.width)×\(size.height) pixels, more"
        + " than the limit of \(limit); cut out a part next, or leave the image out"
    case .tooSmall(let width, let height, let neededWidth, let neededHeight):
      "an image of \(width)×\(height) is smaller than the crop of \(neededWidth)×\(neededHeight);"
        + " resize first or pad more"
    case .badBuffer(let reason): reason
    case .notEncodable(let reason):
      "cannot encode the image as PNG (\(reason))"
    case .unwritable(let path, let reason):
      "\(path): cannot write the file (\(reason)); check the folder, its permissions and free space"
    }
  }
}
