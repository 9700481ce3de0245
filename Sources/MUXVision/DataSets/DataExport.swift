// SPDX-License-Identifier: Apache-2.0
import Foundation

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

  /// Writes `CLASS/INDEX.png` below `folder` and returns the paths in order.
  ///
  /// - Throws: ``ImageError`` naming the file that cannot be read or written, or Foundation's error
  ///   for a folder that cannot be made.
  public func write(to folder: String) throws -> [String] {
    let digits = String(max(dataSet.count - 1, 0)).count
    return try indices.map { index in
      let name = dataSet.classNames[dataSet.label(at: index)]
      let classFolder = URL(filePath: folder).appending(path: name)
      try FileManager.default.createDirectory(at: classFolder, withIntermediateDirectories: true)
      let number = String(index)
      let file = String(repeating: "0", count: digits - number.count) + number + ".png"
      let path = classFolder.appending(path: file).path(percentEncoded: false)
      try dataSet.image(at: index).writePNG(to: path)
      return path
    }
  }
}
