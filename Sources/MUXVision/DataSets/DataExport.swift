// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXImages

/// Writes the images of a data set as PNG files, one folder per class: data sets that come as one
/// binary file (the digits, CIFAR) become pictures that can be looked at and predicted.
public struct DataExport: Sendable {
  /// The data set.
  public let dataSet: any ImageDataSet
  /// How many images are written, spread evenly over the data set; nil for all.
  public var limit: Int?

  /// An export of `dataSet`.
  public init(_ dataSet: any ImageDataSet, limit: Int? = nil) {
    self.dataSet = dataSet
    self.limit = limit
  }

  /// The positions of the images that are written.
  public var indices: [Int] {
    let total = dataSet.count
    guard let limit, limit < total else { return Array(0..<total) }
    return (0..<limit).map { $0 * total / limit }
  }

  /// The files that ``write(to:)`` writes, `CLASS/INDEX.png` below `folder`, in order.
  public func paths(in folder: String) -> [String] {
    indices.map { file($0, in: folder).path(percentEncoded: false) }
  }

  /// Writes the images and returns the paths in order; files of these names are replaced.
  ///
  /// - Throws: `ImageError` naming the file that cannot be read or written, or the folder that
  ///   cannot be made.
  public func write(to folder: String) throws -> [String] {
    try indices.map { index in
      let file = file(index, in: folder)
      let path = file.path(percentEncoded: false)
      do {
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      } catch {
        throw ImageError.unwritable(
          path: path, reason: "its folder cannot be made, or a file is in its place")
      }
      try dataSet.image(at: index).writePNG(to: path)
      return path
    }
  }

  private func file(_ index: Int, in folder: String) -> URL {
    let digits = String(max(dataSet.count - 1, 0)).count
    let number = String(index)
    return URL(filePath: folder)
      .appending(path: dataSet.classNames[dataSet.label(at: index)])
      .appending(path: String(repeating: "0", count: digits - number.count) + number + ".png")
  }
}
