// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXImages

/// One part of the data in a folder.
public struct DataSetPart: Sendable {
  /// What to call it: its folder, or the folder and the part.
  public let name: String
  /// The images.
  public let dataSet: any ImageDataSet

  /// Opens every part of the data at a path, whatever its kind.
  ///
  /// A folder with `data_batch_1.bin` is CIFAR-10, one with `train.bin` is CIFAR-100; a folder with
  /// `train`, `val` or `test` is taken part by part; any other is one set of class folders.
  public static func all(at path: String) throws -> [DataSetPart] {
    func exists(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
    for (kind, marker) in [
      (CIFARDataSet.Kind.cifar10, "data_batch_1.bin"), (.cifar100, "train.bin"),
    ] where exists(marker) {
      return try [true, false].map { training in
        DataSetPart(
          name: "\(path) (\(kind.rawValue) \(training ? "training" : "test"))",
          dataSet: try CIFARDataSet(path: path, kind: kind, training: training))
      }
    }
    let parts = ["train", "val", "valid", "validation", "test"].filter(exists)
    guard !parts.isEmpty else {
      return [
        DataSetPart(name: path, dataSet: try ImageFolder(path: path, allowsEmptyClasses: true))
      ]
    }
    return try parts.map { part in
      DataSetPart(
        name: "\(path)/\(part)",
        dataSet: try ImageFolder(path: "\(path)/\(part)", allowsEmptyClasses: true))
    }
  }
}
