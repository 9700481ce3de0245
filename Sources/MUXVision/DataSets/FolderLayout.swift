// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXImages

/// How the images in a folder are arranged: by parts (`train`, `val`, `test`) with the folders of
/// the classes in each, or as folders of classes alone.
///
/// A class may be called `train`, `val` or `test`, too: a folder of that name that holds images
/// itself instead of folders of images is a class.
package enum FolderLayout: Sendable, Hashable {
  /// Folders of parts, by the name that each has here; `beside` are other folders that hold images.
  case parts([Part], beside: [String])
  /// Folders of classes.
  case classes

  /// One part of the data.
  package struct Part: Sendable, Hashable {
    package var role: DataPart
    /// The name of its folder.
    package var folder: String

    package init(role: DataPart, folder: String) {
      self.role = role
      self.folder = folder
    }
  }

  /// Looks at a folder; of each folder in it no more is listed than it takes to know.
  /// - Throws: `DataSetError.notAFolder`, `DataSetError.unreadable`.
  package init(_ path: String) throws(DataSetError) {
    guard FolderEntries.isFolder(path) else { throw .notAFolder(path: path) }
    let listing = try FolderEntries(path)
    let folders = listing.entries.filter { $0.kind == .folder || $0.kind == .linkedFolder }
      .map(\.name)
    let known = Set(folders)
    var parts: [Part] = []
    for role in DataPart.allCases {
      parts += role.folderNames.filter(known.contains).map { Part(role: role, folder: $0) }
    }
    guard !parts.isEmpty else {
      self = .classes
      return
    }
    let names = Set(parts.map(\.folder))
    var others: [String] = []
    for folder in folders where !names.contains(folder) {
      if try FolderContent(FolderWalk.join(path, folder)) != .nothing { others.append(folder) }
    }
    let contents = try parts.map { (part) throws(DataSetError) in
      try FolderContent(FolderWalk.join(path, part.folder))
    }
    let holdsClasses = contents.contains { content in
      content == .folders || content == .both && others.isEmpty
    }
    let holdsImages = contents.contains { $0 == .images || $0 == .both }
    if holdsClasses || !holdsImages && others.isEmpty {
      self = .parts(parts, beside: others)
    } else {
      self = .classes
    }
  }

  package func folder(of role: DataPart) -> String? {
    guard case .parts(let parts, _) = self else { return nil }
    return parts.first { $0.role == role }?.folder
  }
}

extension FolderLayout {
  /// Parts under names that are not looked for (`Train`, `Testing`, `val_set`), which are then taken
  /// for classes: folders of such a name that hold images in folders alone, one of training among them.
  /// - Throws: `DataSetError.unreadable`.
  package static func unusualParts(in path: String) throws(DataSetError) -> [Part] {
    guard try FolderLayout(path) == .classes else { return [] }
    var parts: [Part] = []
    for entry in try FolderEntries(path).entries
    where entry.kind == .folder || entry.kind == .linkedFolder {
      guard let role = Self.usualRole(of: entry.name),
        try FolderContent(FolderWalk.join(path, entry.name)) == .folders
      else { continue }
      parts.append(Part(role: role, folder: entry.name))
    }
    return parts.contains { $0.role == .training } ? parts : []
  }

  /// One line that says so, or nil.
  package static func warning(at path: String) -> String? {
    guard let parts = try? unusualParts(in: path), !parts.isEmpty else { return nil }
    let names = parts.map(\.folder.printable).joined(separator: ", ")
    let settings = parts.map { "data.\($0.role.rawValue)Folder=\($0.folder.printable)" }
    return
      "\(names) are taken for classes, though they hold folders of images: where they are parts"
      + " of the data, set \(settings.joined(separator: ", "))"
  }

  private static func usualRole(of folder: String) -> DataPart? {
    let words = folder.lowercased().split { "_- .".contains($0) }
    guard let first = words.first,
      words.dropFirst().allSatisfy({ ["set", "data", "dataset", "images"].contains($0) })
    else { return nil }
    return switch first {
    case "train", "training", "trainset", "trainingset": .training
    case "val", "valid", "validation", "validate", "valset", "validationset": .validation
    case "test", "testing", "testset", "testingset": .test
    default: nil
    }
  }
}

/// Where the images in a folder lie.
enum FolderContent {
  /// There is none.
  case nothing
  /// In the folder itself.
  case images
  /// In folders below it.
  case folders
  case both

  /// Looks until it is clear.
  init(_ path: String) throws(DataSetError) {
    let listing = try FolderEntries(path)
    let hasImages = listing.entries.contains {
      $0.kind == .file && ImageFormat.isImageName($0.name)
    }
    var seen = FileIdentity.ancestors(of: path)
    if let own = FileIdentity(path) { seen.insert(own) }
    let hasFolders = try Self.holdsImagesBelow(listing, path, &seen)
    switch (hasImages, hasFolders) {
    case (true, true): self = .both
    case (true, false): self = .images
    case (false, true): self = .folders
    case (false, false): self = .nothing
    }
  }

  private static func holdsImagesBelow(
    _ listing: FolderEntries, _ path: String, _ seen: inout Set<FileIdentity>
  ) throws(DataSetError) -> Bool {
    for entry in listing.entries where entry.kind == .folder || entry.kind == .linkedFolder {
      let folder = FolderWalk.join(path, entry.name)
      guard let identity = FileIdentity(folder), seen.insert(identity).inserted else { continue }
      let inner = try FolderEntries(folder)
      if inner.entries.contains(where: { $0.kind == .file && ImageFormat.isImageName($0.name) }) {
        return true
      }
      if try holdsImagesBelow(inner, folder, &seen) { return true }
    }
    return false
  }
}
