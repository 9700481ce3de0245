// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
package import MUXImages

/// One part of the data in a folder.
package struct DataSetPart: Sendable {
  /// What to call it: its folder, or the folder and the part.
  package let name: String
  /// The images, or why they cannot be had.
  package let content: Result<any ImageDataSet, any Error>
  /// Whether these are images that a network learns from, where the folders say so.
  private let isForTraining: Bool

  package init(
    _ name: String, isForTraining: Bool = false, _ open: () throws -> any ImageDataSet
  ) {
    self.name = name
    self.isForTraining = isForTraining
    content = Result { try open() }
  }

  /// Why a training refuses a part that can be opened: class folders without images.
  package var refusal: DataSetError? {
    guard isForTraining, let folder = try? content.get() as? ImageFolder else { return nil }
    for case .emptyClasses(let names) in folder.warnings {
      return .emptyClasses(path: folder.path, classes: names)
    }
    return nil
  }

  /// Opens every part of the data at a path, whatever its kind. What is wrong with one part does
  /// not keep the others from being opened.
  ///
  /// A folder with `data_batch_1.bin` is CIFAR-10, one with `train.bin` is CIFAR-100; a folder with
  /// `train`, `val` or `test` is taken part by part; any other is one set of class folders
  /// (``FolderLayout``).
  /// - Throws: `DataSetError` if there is nothing that could be opened.
  package static func all(at path: String) throws -> [DataSetPart] {
    for (kind, marker) in [
      (CIFARDataSet.Kind.cifar10, "data_batch_1.bin"), (.cifar100, "train.bin"),
    ] where FileManager.default.fileExists(atPath: "\(path)/\(marker)") {
      return [true, false].map { training in
        DataSetPart("\(path) (\(kind.rawValue) \(training ? "training" : "test"))") {
          try CIFARDataSet(path: path, kind: kind, training: training)
        }
      }
    }
    if ChestXRay14.isThere(path) { return try ChestXRay14.parts(at: path) }
    guard FolderEntries.isFolder(path) || FileIdentity(path) == nil else {
      // A list; images that are not there are broken ones.
      return [DataSetPart(path) { try ListDataSet(path: path, requiresFiles: false) }]
    }
    let lists = DataPart.allCases.flatMap { part in part.folderNames.map { "\(path)/\($0).csv" } }
      .filter { FileIdentity($0) != nil && !FolderEntries.isFolder($0) }
    if !lists.isEmpty, try FolderLayout(path) == .classes {
      return lists.map { list in
        DataSetPart(list) { try ListDataSet(path: list, requiresFiles: false) }
      }
    }
    switch try FolderLayout(path) {
    case .classes:
      return [
        DataSetPart(path, isForTraining: true) {
          try ImageFolder(path: path, allowsEmptyClasses: true)
        }
      ]
    case .parts(let parts, _):
      return folders(parts, of: path)
    }
  }

  /// The parts of a folder. Where one is trained on, its classes are those of the others.
  private static func folders(_ parts: [FolderLayout.Part], of path: String) -> [DataSetPart] {
    var opened: [DataSetPart] = []
    var classNames: [String]?
    for part in parts {
      let folder = FolderWalk.join(path, part.folder)
      opened.append(
        DataSetPart(folder, isForTraining: part.role == .training) {
          try ImageFolder(
            path: folder, classNames: part.role == .training ? nil : classNames,
            allowsEmptyClasses: true)
        })
      if part.role == .training { classNames = try? opened.last?.content.get().classNames }
    }
    return opened
  }
}
