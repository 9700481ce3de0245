// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages

/// The images in and below a folder, sorted folder by folder.
///
/// Links are followed, but no folder is visited from within itself, and none twice on the way
/// through one class: a link that leads back up is left out and named, as is a link to a folder
/// that was visited before. Work and results are therefore bounded by what lies on the disk.
struct FolderWalk {
  /// The folder that all begins at.
  let root: String
  /// Paths of images, relative to the root.
  private(set) var images: [String] = []
  /// What lies there and is no image that can be read.
  private(set) var leftOut = LeftOut()
  /// Folders that nothing below may lead to: those that the root lies in, and those that are
  /// walked apart.
  private var taken: Set<FileIdentity>
  private var visited: Set<FileIdentity> = []

  /// A walk below `root`, which has visited nothing yet.
  init(root: String) {
    self.root = root
    taken = FileIdentity.ancestors(of: root)
    if let own = FileIdentity(root) { taken.insert(own) }
  }

  /// Whether a folder below the root is the root itself or one that the root lies in.
  func leadsBack(_ folder: String) -> Bool {
    FileIdentity("\(root)/\(folder)").map(taken.contains) ?? false
  }

  /// Says that folders below the root are walked each for itself, so that links to them from the
  /// others lead to images that are there already.
  mutating func take(_ folders: [String]) {
    for folder in folders {
      if let identity = FileIdentity("\(root)/\(folder)") { taken.insert(identity) }
    }
  }

  /// Counts something that is left out; its path is relative to the root.
  mutating func leaveOut(_ reason: LeftOut.Reason, _ path: String, format: String? = nil) {
    leftOut.add(reason, Self.join(root, path), format: format)
  }

  /// Adds the images in and below the root.
  mutating func addAll() throws(DataSetError) {
    visited = taken
    try add("", FolderEntries(root))
  }

  /// Adds the images in and below a folder of the root.
  mutating func add(_ folder: String) throws(DataSetError) {
    let full = Self.join(root, folder)
    // The folder may itself be a link to one that has links back up.
    visited = taken.union(FileIdentity.ancestors(of: full))
    try add(folder, FolderEntries(full))
  }

  private mutating func add(_ folder: String, _ listing: FolderEntries) throws(DataSetError) {
    for entry in listing.misnamed where Self.isOfInterest(entry) {
      leaveOut(.misnamed, Self.join(folder, entry.name))
    }
    for entry in listing.entries {
      let path = Self.join(folder, entry.name)
      switch entry.kind {
      case .folder, .linkedFolder:
        let full = Self.join(root, path)
        guard let identity = FileIdentity(full) else {
          throw .unreadable(path: full, reason: FolderEntries.lastError)
        }
        guard visited.insert(identity).inserted else {
          leaveOut(.circle, path)
          continue
        }
        // What a link leads to may have links back into the folders that it lies in.
        let above =
          entry.kind == .linkedFolder
          ? FileIdentity.ancestors(of: full).subtracting(visited) : []
        visited.formUnion(above)
        try add(path, FolderEntries(full))
        visited.subtract(above)
      case .file:
        if ImageFormat.isImageName(entry.name) {
          images.append(path)
        } else if let format = ImageFormat.unreadExtension(of: entry.name) {
          leaveOut(.unreadFormat, path, format: format)
        }
      case .brokenLink:
        leaveOut(.brokenLink, path)
      }
    }
  }

  /// Whether an entry with a name that is not UTF-8 would have been an image or a folder.
  static func isOfInterest(_ entry: FolderEntries.Entry) -> Bool {
    entry.kind != .file || ImageFormat.isImageName(entry.name)
      || ImageFormat.unreadExtension(of: entry.name) != nil
  }

  /// A path from two parts; the first may be empty or end with a slash.
  static func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    if name.isEmpty { return folder }
    return folder.utf8.last == UInt8(ascii: "/") ? folder + name : "\(folder)/\(name)"
  }
}

extension ImageFormat {
  /// The extension of a file name, in lower case, if it is that of a format that is not read.
  static func unreadExtension(of name: String) -> String? {
    guard let format = ImageFormat(fileName: name), !format.isReadable else { return nil }
    return name.utf8.lastIndex(of: UInt8(ascii: ".")).map {
      name[name.utf8.index(after: $0)...].lowercased()
    }
  }
}
