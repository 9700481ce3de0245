// SPDX-License-Identifier: Apache-2.0

import Foundation
public import MUXImages

/// A folder with one sub-folder of JPEG or PNG files per class.
///
/// Classes are the names of the sub-folders in sorted order; files are taken by extension (.jpg,
/// .jpeg, .png in any case), also from folders below a class, in sorted order. Names that begin
/// with a dot are passed over.
public struct ImageFolder: ImageDataSet {
  /// The folder.
  public let path: String
  /// The classes: sub-folder names, sorted, or those that the initializer was given.
  public let classNames: [String]
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied

  private let files: [String]  // relative to `path`
  private let labels: [Int32]

  /// Lists the files of a folder; no image is opened.
  /// - Parameters:
  ///   - path: The folder that holds the class folders.
  ///   - classNames: The classes in the order of the labels, as of the training data; nil takes
  ///     the sorted sub-folders. Folders that are not among them are an error.
  ///   - allowsEmptyClasses: Whether a class may have no image (then a warning, not an error).
  /// - Throws: `DataSetError`.
  public init(
    path: String, classNames: [String]? = nil, allowsEmptyClasses: Bool = false
  ) throws(DataSetError) {
    let manager = FileManager.default
    func isFolder(_ path: String) -> Bool {
      var isDirectory: ObjCBool = false
      return manager.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
    func list(_ path: String) throws(DataSetError) -> [String] {
      do {
        return try manager.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
      } catch {
        throw .unreadable(path: path, reason: error.localizedDescription)
      }
    }
    func images(in folder: String) throws(DataSetError) -> [String] {
      var found: [String] = []
      for name in try list("\(path)/\(folder)") {
        let relative = "\(folder)/\(name)"
        // No system call for the usual file: a folder that is named like one is rare enough to
        // show as unreadable.
        if ImageFormat.isImageName(name) {
          found.append(relative)
        } else if isFolder("\(path)/\(relative)") {
          found += try images(in: relative)
        }
      }
      return found
    }

    guard isFolder(path) else { throw .notAFolder(path: path) }
    let entries = try list(path)
    let folders = entries.filter { isFolder("\(path)/\($0)") }
    guard !folders.isEmpty else {
      throw .noClasses(path: path, images: entries.count(where: ImageFormat.isImageName))
    }
    let names = classNames ?? folders
    if classNames != nil {
      let unexpected = folders.filter { !names.contains($0) }
      let missing = allowsEmptyClasses ? [] : names.filter { !folders.contains($0) }
      guard unexpected.isEmpty && missing.isEmpty else {
        throw .otherClasses(path: path, unexpected: unexpected, missing: missing)
      }
    }
    var files: [String] = []
    var labels: [Int32] = []
    var empty: [String] = []
    for (label, name) in names.enumerated() {
      let found = folders.contains(name) ? try images(in: name) : []
      if found.isEmpty { empty.append(name) }
      files += found
      labels += [Int32](repeating: Int32(label), count: found.count)
    }
    guard !files.isEmpty else { throw .noImages(path: path) }
    guard empty.isEmpty || allowsEmptyClasses else {
      throw .emptyClasses(path: path, classes: empty)
    }
    self.path = path
    self.classNames = names
    self.files = files
    self.labels = labels
  }

  /// The number of image files.
  public var count: Int { files.count }

  /// The class of a file.
  public func label(at index: Int) -> Int { Int(labels[index]) }

  /// The path of a file.
  public func name(at index: Int) -> String { "\(path)/\(files[index])" }

  /// Decodes a file.
  public func image(at index: Int) throws -> Image {
    try Image(contentsOfFile: name(at: index), orientation: orientation)
  }
}
