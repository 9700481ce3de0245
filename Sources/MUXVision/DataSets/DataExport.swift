// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages

/// Writes the images of a data set as PNG files, one folder per class: data sets that come as one
/// binary file (the digits, CIFAR) become pictures that can be looked at and predicted.
///
/// Names of classes come with the data. A folder gets the name of its class where that is a plain
/// name, else one made of it (``folderNames``): nothing is ever written outside of the folder that
/// was asked for.
public struct DataExport: Sendable {
  /// What is written, sample by sample.
  public let dataSet: any ImageDataSet
  /// How many images are written, spread evenly over the data set; nil for all.
  public var limit: Int?
  /// The folder of each class, by its number.
  public let folderNames: [String]

  /// An export of `dataSet`.
  public init(_ dataSet: any ImageDataSet, limit: Int? = nil) {
    self.dataSet = dataSet
    self.limit = limit
    folderNames = Self.folderNames(for: dataSet.classNames)
  }

  /// The positions of the images that are written.
  public var indices: [Int] {
    let total = dataSet.count
    guard let limit, limit < total else { return Array(0..<total) }
    return (0..<limit).map { $0 * total / limit }
  }

  /// The files that ``write(to:)`` writes, `CLASS/INDEX.png` below `folder`, in order.
  public func paths(in folder: String) -> [String] {
    indices.map { "\(classFolder($0, in: folder))/\(fileName($0))" }
  }

  /// Writes the images and returns the paths in order; files of these names are replaced.
  ///
  /// - Throws: `ImageError` naming the file that cannot be read or written, or the folder that
  ///   cannot be made or is a link.
  public func write(to folder: String) throws -> [String] {
    var made: Set<String> = []
    return try indices.map { index in
      let parent = classFolder(index, in: folder)
      let path = "\(parent)/\(fileName(index))"
      if made.insert(parent).inserted { try makeFolder(parent) }
      try dataSet.image(at: index).writePNG(to: path)
      return path
    }
  }

  private func makeFolder(_ path: String) throws(ImageError) {
    if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil {
      throw .unwritable(path: path, reason: "a link is in the place of this folder")
    }
    do { try Folders.make(path) } catch {
      throw .unwritable(path: error.path, reason: error.cause)
    }
  }

  private func classFolder(_ index: Int, in folder: String) -> String {
    // Images of several classes have no folder of one.
    guard case .label(let label) = dataSet.target(at: index) else { return folder }
    return FolderWalk.join(folder, folderNames[label])
  }

  private func fileName(_ index: Int) -> String {
    let digits = String(max(dataSet.count - 1, 0)).count
    let number = String(index)
    return String(repeating: "0", count: digits - number.count) + number + ".png"
  }

  /// Names for folders, each a plain name that no other has, also where case does not count.
  static func folderNames(for classes: [String]) -> [String] {
    var taken: Set<String> = []
    return classes.enumerated().map { number, name in
      var candidate = plainName(name)
      // Another class may be called like the numbered name of this one.
      while !taken.insert(candidate.lowercased()).inserted {
        candidate += "-\(number)"
      }
      return candidate
    }
  }

  /// A name without slashes and control characters that does not begin with a dot, is not empty
  /// and not longer than file systems allow.
  private static func plainName(_ name: String) -> String {
    var plain = ""
    for scalar in name.unicodeScalars {
      let isPlain =
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: scalar != "/" && scalar != "\\"
        }
      plain.unicodeScalars.append(isPlain ? scalar : "_")
      if plain.utf8.count > 200 {
        plain.unicodeScalars.removeLast()
        break
      }
    }
    if plain.isEmpty { return "_" }
    return plain.hasPrefix(".") ? "_" + plain.dropFirst() : plain
  }
}
