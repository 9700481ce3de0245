// SPDX-License-Identifier: Apache-2.0
import MUXConfiguration
import MUXCore
import MUXImages
import MUXVision

extension DataConfiguration {
  /// Whether the images have boxes.
  var hasBoxes: Bool {
    switch source {
    case .voc, .coco, .yolo, .boxes: true
    case .digits, .cifar10, .cifar100, .folder, .list, .chestxray14: false
    }
  }

  func openBoxes(_ part: DataPart, classNames: [String]?) throws -> BoxDataSet {
    let (path, name) = (path ?? "", folder(of: part))
    switch source {
    case .coco:
      let files =
        Self.isFile(path)
        ? (annotations: path, images: Self.folder(of: path))
        : BoxDataSet.cocoFiles(path: path, part: name)
      guard let files else {
        throw DataSetError.missingFiles(
          path: path, files: ["annotations/instances_\(name).json"],
          advice:
            "unpack the annotations there, or set data.\(part.rawValue)Folder to the name of a part that is"
            + " there")
      }
      return try .coco(
        path: files.annotations, images: files.images, classNames: classNames,
        orientation: orientation)
    case .yolo:
      let description = try YOLODescription(path: path)
      return try .yolo(
        images: try description.images(of: part), names: description.names,
        classNames: classNames)
    case .boxes:
      if isMissing(part), !Self.isFile(path) { throw missingFolder(of: part, in: path) }
      return try .list(
        path: place(of: part), classNames: classNames, orientation: orientation)
    case .voc, .digits, .cifar10, .cifar100, .folder, .list, .chestxray14:
      return try .voc(path: path, part: name, classNames: classNames, orientation: orientation)
    }
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
