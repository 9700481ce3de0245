// SPDX-License-Identifier: Apache-2.0
import MUXCore
package import MUXImages

/// Image files that are named one by one or lie below named folders.
///
/// Below folders the files are taken by extension; hidden files and folders are passed over unless
/// they are named themselves. A folder may be a link.
package struct ImageFiles: Sendable, Hashable {
  /// The paths: those named in their order, those of a folder sorted.
  package private(set) var paths: [String] = []
  /// What lies in the folders and is not among the paths.
  package private(set) var leftOut = LeftOut()

  /// Lists files and folders; no image is opened.
  /// - Throws: `ImageError.unreadable` for a path that leads nowhere, `DataSetError` for a folder
  ///   without images or one that cannot be listed.
  package init(_ named: [String]) throws {
    for path in named {
      guard FileIdentity(path) != nil else {
        throw ImageError.unreadable(name: path, reason: "no such file or folder")
      }
      guard FolderEntries.isFolder(path) else {
        paths.append(path)
        continue
      }
      var walk = FolderWalk(root: path)
      try walk.addAll()
      guard !walk.images.isEmpty else {
        throw DataSetError.noImages(path: path, leftOut: walk.leftOut)
      }
      paths += walk.images.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        .map { FolderWalk.join(path, $0) }
      leftOut.add(walk.leftOut)
    }
  }
}
