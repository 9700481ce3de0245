// SPDX-License-Identifier: Apache-2.0

import MUXCore
public import MUXImages

/// A folder with one sub-folder of image files per class.
///
/// Classes are the names of the sub-folders, sorted by the code points of the names as they are on
/// disk (as Python's `sorted` and so torchvision's `ImageFolder` sort them). Files are taken by
/// extension (``ImageFormat/isImageName(_:)``), also from folders below a class, sorted alike.
/// Names that begin with a dot are passed over. Links are followed, but never in a circle. What is
/// left out is counted in ``leftOut``.
public struct ImageFolder: ImageDataSet {
  /// The folder that holds a folder for each class.
  public let path: String
  /// The classes: sub-folder names, sorted, or those that the initializer was given.
  public let classNames: [String]
  /// Files and links that are not among the images.
  public let leftOut: LeftOut
  /// Things that are allowed but probably not meant.
  public let warnings: [DataSetWarning]
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied

  private let files: [String]  // relative to `path`
  private let labels: [Int32]

  /// Lists the files of a folder; no image is opened.
  /// - Parameters:
  ///   - path: The folder that holds the class folders.
  ///   - classNames: The classes in the order of the labels, as of the training data; nil takes
  ///     the sorted sub-folders. They are compared with the folders as Unicode text, in which
  ///     composed and decomposed letters are equal. Folders that are not among them are an error.
  ///   - allowsEmptyClasses: Whether a class may have no image or no folder (then a warning, not an
  ///     error), as the data of an evaluation may.
  /// - Throws: `DataSetError`.
  public init(
    path: String, classNames: [String]? = nil, allowsEmptyClasses: Bool = false
  ) throws(DataSetError) {
    guard FolderEntries.isFolder(path) else { throw .notAFolder(path: path) }
    let listing = try FolderEntries(path)
    var walk = FolderWalk(root: path)
    let folders = try Self.classFolders(of: listing, &walk)
    guard !folders.isEmpty else {
      throw .noClasses(
        path: path, images: listing.entries.count { ImageFormat.isImageName($0.name) })
    }
    let names = classNames ?? folders
    let byName = Dictionary(folders.map { ($0, $0) }) { first, _ in first }
    guard byName.count == folders.count else {
      throw .twinClasses(path: path, classes: Self.twins(among: folders))
    }
    if classNames != nil {
      let expected = Set(names)
      let unexpected = folders.filter { !expected.contains($0) }
      let missing = allowsEmptyClasses ? [] : names.filter { byName[$0] == nil }
      guard unexpected.isEmpty && missing.isEmpty else {
        throw .otherClasses(path: path, unexpected: unexpected, missing: missing)
      }
    }
    walk.take(folders)
    var labels: [Int32] = []
    var empty: [String] = []
    for (label, name) in names.enumerated() {
      // The folder by the name that was listed: the file system compares bytes.
      if let folder = byName[name] { try walk.add(folder) }
      let found = walk.images.count - labels.count
      if found == 0 { empty.append(name) }
      labels += [Int32](repeating: Int32(label), count: found)
    }
    guard !labels.isEmpty else { throw .noImages(path: path, leftOut: walk.leftOut) }
    guard empty.isEmpty || allowsEmptyClasses else {
      throw .emptyClasses(path: path, classes: empty)
    }
    self.path = path
    self.classNames = names
    self.labels = labels
    files = walk.images
    leftOut = walk.leftOut
    warnings = Self.warnings(names: names, empty: empty, folders: folders, in: path)
  }

  /// The number of image files in all class folders, broken ones included.
  public var count: Int { files.count }

  /// The class of a file.
  public func target(at index: Int) -> Target { .label(Int(labels[index])) }

  /// The path of a file.
  public func name(at index: Int) -> String { FolderWalk.join(path, files[index]) }

  /// Decodes a file.
  public func image(at index: Int) throws -> Image {
    try Image(contentsOfFile: name(at: index), orientation: orientation)
  }

  /// A hash of the paths below the folder and the sizes of the files.
  public var contentHash: UInt64 {
    FileSizes(files.map { FolderWalk.join(path, $0) }).hash(of: files).value
  }

  /// The class folders among the entries of a folder; what lies beside them is counted.
  private static func classFolders(
    of listing: FolderEntries, _ walk: inout FolderWalk
  ) throws(DataSetError) -> [String] {
    // A class without a name that can be printed and saved is no class; to leave out all of its
    // images would be worse than to stop.
    if let folder = listing.misnamed.first(where: { $0.kind != .file }) {
      throw .misnamedClass(path: walk.root, name: folder.name)
    }
    for file in listing.misnamed where FolderWalk.isOfInterest(file) {
      walk.leaveOut(.misnamed, file.name)
    }
    var folders: [String] = []
    for entry in listing.entries {
      switch entry.kind {
      case .folder: folders.append(entry.name)
      case .linkedFolder where walk.leadsBack(entry.name): walk.leaveOut(.circle, entry.name)
      case .linkedFolder: folders.append(entry.name)
      case .brokenLink: walk.leaveOut(.brokenLink, entry.name)
      case .file:
        if ImageFormat.isImageName(entry.name) {
          walk.leaveOut(.withoutClass, entry.name)
        } else if let format = ImageFormat.unreadExtension(of: entry.name) {
          walk.leaveOut(.unreadFormat, entry.name, format: format)
        }
      }
    }
    return folders
  }

  /// Names that are equal as text though their bytes differ.
  private static func twins(among names: [String]) -> [String] {
    Dictionary(grouping: names) { $0 }.values.filter { $0.count > 1 }.map { $0[0] }.sorted()
  }

  private static func warnings(
    names: [String], empty: [String], folders: [String], in path: String
  ) -> [DataSetWarning] {
    var warnings: [DataSetWarning] = []
    if names.count == 1 { warnings.append(.singleClass(names[0])) }
    if !empty.isEmpty { warnings.append(.emptyClasses(empty)) }
    let byCase = Dictionary(grouping: names) { $0.lowercased() }
    let alike = names.filter { byCase[$0.lowercased()].map { $0.count > 1 } ?? false }
    if !alike.isEmpty { warnings.append(.similarClasses(alike)) }
    let byPlace = Dictionary(grouping: folders) { FileIdentity("\(path)/\($0)") }
    let shared = folders.filter {
      byPlace[FileIdentity("\(path)/\($0)")].map { $0.count > 1 } ?? false
    }
    if !shared.isEmpty { warnings.append(.sharedFolder(shared)) }
    return warnings
  }
}
