// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Why a data set cannot be opened or used as asked.
public enum DataSetError: Sendable, Hashable, DescribedError {
  /// The path does not exist, or is a file.
  case notAFolder(path: String)
  /// The folder cannot be listed.
  case unreadable(path: String, reason: String)
  /// The folder has no sub-folders; `images` counts the image files that lie in it directly.
  case noClasses(path: String, images: Int)
  /// There are class folders, but no image in any of them.
  case noImages(path: String, leftOut: LeftOut = LeftOut())
  /// Class folders without images.
  case emptyClasses(path: String, classes: [String])
  /// Class folders that are not among the expected classes, or expected ones that are missing.
  case otherClasses(path: String, unexpected: [String], missing: [String])
  /// Class folders whose names are equal as text, though composed of other characters.
  case twinClasses(path: String, classes: [String])
  /// A class folder whose name is not UTF-8; invalid bytes are written as `\xE9`.
  case misnamedClass(path: String, name: String)
  /// A binary file is not a whole number of records.
  case wrongSize(path: String, actual: Int, recordSize: Int)
  /// A label lies outside the classes.
  case wrongLabel(name: String, label: Int, classCount: Int)
  /// The files of a data set are not where they should be; what to do depends on its kind.
  case missingFiles(path: String, files: [String], advice: String)
  /// A split was asked for that leaves a part empty or takes more than everything.
  case wrongSplit(reason: String)
  /// A line of a list file is not `path,label`.
  case wrongLine(path: String, line: Int, reason: String)
  /// A line of a list or table of labels is malformed.
  case wrongLabels(path: String, line: Int, reason: String)
  /// Parts of a data set share groups that belong into one of them, such as patients.
  case sharedGroups(first: String, second: String, groups: [String])
  /// Files of ChestX-ray14 are not where they should be, or not what they should be.
  case chestXRays(path: String, reason: String)
  /// Images cannot be prepared in or from a folder.
  case preparation(path: String, reason: String)
  /// A line of a list of boxes is not `image,x0,y0,x1,y1,class`.
  case wrongBoxLine(path: String, line: Int, reason: String)
  /// An annotation file is damaged or of another kind.
  case wrongAnnotation(path: String, reason: String)
  /// An image has another size than its annotation says.
  case otherImage(path: String, size: ImageSize, annotated: ImageSize)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .notAFolder(let path):
      "\(path.printable): no such folder; give the folder that holds the images of all classes and parts"
    case .unreadable(let path, let reason):
      "\(path.printable): cannot be listed (\(reason)); check its permissions"
    case .noClasses(let path, 0):
      "\(path.printable): the folder is empty; it must hold one sub-folder of images per class"
    case .noClasses(let path, let images):
      "\(path.printable): \(images) image(s) but no class folders; move the images of each class into a"
        + " sub-folder named after it"
    case .noImages(let path, let leftOut):
      "\(path.printable): it holds no image in a readable format"
        + " (\(ImageFormat.readable.map(\.name).joined(separator: ", ")))"
        + leftOut.descriptions.map { "; \($0)" }.joined()
    case .emptyClasses(let path, let classes):
      "\(path.printable): class folder(s) without images: \(Self.list(classes)); fill or remove them"
    case .twinClasses(let path, let classes):
      "\(path.printable): several class folders with the same name, in composed and decomposed letters:"
        + " \(Self.list(classes)); rename or merge them"
    case .misnamedClass(let path, let name):
      "\(path.printable): the name of the class folder \(name.printable) is not UTF-8; rename it"
    case .otherClasses(let path, let unexpected, let missing):
      "\(path.printable): the class folders differ from the training classes ("
        + [
          unexpected.isEmpty ? nil : "unexpected: \(Self.list(unexpected))",
          missing.isEmpty ? nil : "missing: \(Self.list(missing))",
        ].compactMap { $0 }.joined(separator: "; ") + "); give them the same names"
    case .wrongSize(let path, let actual, let recordSize):
      "\(path.printable): \(actual) bytes are not a whole number of records of \(recordSize) bytes; the file"
        + " is cut off or of another format, fetch it again"
    case .wrongLabel(let name, let label, let classCount):
      "\(name.printable): label \(label) is outside 0 ..< \(classCount); the file is damaged or of another"
        + " format"
    case .missingFiles(let path, let files, let advice):
      "\(path.printable): missing \(Self.list(files)); \(advice)"
    case .wrongSplit(let reason):
      "cannot split the data set: \(reason)"
    case .wrongLine(let path, let line, let reason):
      "\(path.printable):\(line): \(reason.printable); each line must be: image path, comma, label"
    case .wrongLabels(let path, let line, let reason):
      "\(path.printable):\(line): \(reason.printable); fix the file, or fetch it again"
    case .sharedGroups(let first, let second, let groups):
      "\(first.printable) and \(second.printable) share \(groups.count.grouped)"
        + " group\(groups.count == 1 ? "" : "s") (patients, say), such as"
        + " \(groups.prefix(3).map(\.printable).joined(separator: ", ")): scores on one would say nothing"
        + " about others; leave the images of each in one part"
    case .chestXRays(let path, let reason), .preparation(let path, let reason):
      "\(path.printable): \(reason.printable)"
    case .wrongBoxLine(let path, let line, let reason):
      "\(path.printable):\(line): \(reason.printable); each line must be: image, four edges, class"
    case .wrongAnnotation(let path, let reason):
      "\(path.printable): \(reason.printable); fix the annotation, or remove the image from the list"
    case .otherImage(let path, let size, let annotated):
      "\(path.printable): the image has \(size) pixels, but its annotation is for \(annotated); "
        + (size.width == annotated.height && size.height == annotated.width
          ? "it is rotated (data.orientation: ignored leaves it so), or is another image"
          : "it is another image, or was scaled: annotate it again")
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(5).map(\.printable).joined(separator: ", ")
      + (names.count > 5 ? " … (\(names.count))" : "")
  }
}
