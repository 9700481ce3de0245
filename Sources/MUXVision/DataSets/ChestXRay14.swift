// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// ChestX-ray14 (Wang et al., CVPR 2017): frontal chest X-rays, each with any number of 14 findings, as the
/// NIH Clinical Center distributes them, or scaled down.
///
/// The images lie anywhere below the folder (`images_001/images/…`, or all in one place). Their labels come
/// from `Data_Entry_2017.csv`, from a table with a column of 0 and 1 for each finding, or from lists that
/// have the flags themselves. Two divisions are in use, and results on one say nothing about the other, so
/// ``division`` names it. All images of a patient (the number before the underscore in a name) are always
/// in one part.
public struct ChestXRay14: ImageDataSet {
  /// How the images are divided into parts.
  public enum Split: String, Sendable, Hashable, Codable, CaseIterable {
    /// NIH's own test patients: `test_list.txt` and `train_val_list.txt`, names only. Validation images
    /// are held out of the latter.
    case official
    /// The lists of the repository arnoweng/CheXNet, which published results of CheXNet's kind use:
    /// `train_list.txt`, `val_list.txt` and `test_list.txt`, each line a name and 14 flags.
    case arnoweng
    /// All images that have labels are training images, of which the others are held out by a seed.
    case seed
  }

  /// The findings in the order of the data set's paper, which published weights follow.
  public static let findings = [
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
    "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening",
    "Hernia",
  ]

  /// The findings in the order of the labels.
  public let classNames: [String]
  /// The division, and how much of it is there.
  public let division: String?

  private let files: [String]
  private let names: [String]
  private let targets: [Target]
  private let missing: DataSetWarning?

  /// Opens a part; no image is read.
  ///
  /// Images that are not there are left out, with a warning that counts them.
  /// - Parameters:
  ///   - path: The folder, or a table of labels in it.
  ///   - split: How the images are divided.
  ///   - part: Which part; by seed there are training images only, officially no validation images.
  ///   - classNames: The findings in the order of the labels, as a training had them; others are left
  ///     out. Nil takes all in the usual order.
  /// - Throws: `DataSetError` where files are missing or damaged, an image is named twice, lists share a
  ///   patient, or no image of the part is there; `ImageError` where a file cannot be read.
  public init(
    path: String, split: Split, part: DataPart, classNames: [String]? = nil
  ) throws {
    let folder = try ChestXRayFolder(path)
    let list = try folder.list(of: part, in: split)
    let classNames = classNames ?? Self.findings
    let numbers = try Self.numbers(of: classNames, path: path)
    let places = try folder.images()
    var files: [String] = []
    var names: [String] = []
    var targets: [Target] = []
    var absent: [String] = []
    for (name, labels) in list.images {
      guard let file = places[name] else {
        absent.append(name)
        continue
      }
      files.append(file)
      names.append(name)
      targets.append(.labels(Set(labels.compactMap { numbers[$0] })))
    }
    guard !files.isEmpty else {
      throw DataSetError.chestXRays(
        path: path,
        reason: "none of the \(list.images.count.grouped) images that \(list.path) names is there,"
          + " such as \(absent.first ?? ""); unpack the images into that folder")
    }
    self.classNames = classNames
    self.files = files
    self.names = names
    self.targets = targets
    missing =
      absent.isEmpty
      ? nil : .missing(list: list.path, of: list.images.count, files: absent)
    let share =
      absent.isEmpty
      ? "" : " (\(files.count.grouped) of its \(list.images.count.grouped) images)"
    division = split == .seed ? nil : "\(split.title)\(share)"
  }

  /// The number of images.
  public var count: Int { files.count }
  /// The findings of an image.
  public func target(at index: Int) -> Target { targets[index] }
  /// The path of an image.
  public func name(at index: Int) -> String { files[index] }
  /// The patient of an image, as the data set numbers them.
  public func group(at index: Int) -> String? { Self.patient(ofImage: names[index]) }
  /// Decodes an image: one channel, or three where the file has colours or transparency.
  public func image(at index: Int) throws -> Image { try Image(contentsOfFile: files[index]) }

  /// A hash of names, findings and the sizes of the files, wherever they lie.
  public var contentHash: UInt64 {
    var hash = FileSizes(files).hash(of: names)
    for target in targets { target.add(to: &hash) }
    return hash.value
  }

  /// Images that are not there, beside the usual warnings.
  public var warnings: [DataSetWarning] {
    DataSetWarning.of(self) + (missing.map { [$0] } ?? [])
  }

  /// Whether a folder has lists or the table of this data set.
  static func isThere(_ path: String) -> Bool {
    guard FolderEntries.isFolder(path), let folder = try? ChestXRayFolder(path) else {
      return false
    }
    return folder.hasTable || folder.hasLists(of: .official) || folder.hasLists(of: .arnoweng)
  }

  /// The parts of the division that a folder has lists for.
  static func parts(at path: String) throws -> [DataSetPart] {
    let split = try usualSplit(at: path)
    return DataPart.allCases.filter { $0 == .training || split.parts.contains($0) }.map { part in
      DataSetPart("\(path) (\(split.title), \(part.rawValue))") {
        try ChestXRay14(path: path, split: split, part: part)
      }
    }
  }

  /// The division that a folder has lists for: the official one before the other; by seed without lists.
  public static func usualSplit(at path: String) throws -> Split {
    let folder = try ChestXRayFolder(path)
    if folder.hasLists(of: .official) { return .official }
    return folder.hasLists(of: .arnoweng) ? .arnoweng : .seed
  }

  /// The patient in a name such as `00000013_005.png`; nil where there is none.
  static func patient(ofImage name: String) -> String? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    return !digits.isEmpty && name.dropFirst(digits.count).first == "_" ? String(digits) : nil
  }

  /// The label of each finding by its usual number.
  private static func numbers(
    of classNames: [String], path: String
  ) throws(DataSetError) -> [Int: Int] {
    var result: [Int: Int] = [:]
    for (label, name) in classNames.enumerated() {
      guard let number = findings.firstIndex(of: name) else {
        throw .chestXRays(
          path: path,
          reason: "the class '\(name)' is not one of the 14 findings; these are"
            + " \(findings.joined(separator: ", "))")
      }
      result[number] = label
    }
    return result
  }
}

extension ChestXRay14.Split {
  /// The parts that have lists of their own.
  var parts: [DataPart] {
    switch self {
    case .official: [.training, .test]
    case .arnoweng: DataPart.allCases
    case .seed: [.training]
    }
  }

  /// What results call it.
  var title: String {
    switch self {
    case .official: "official split"
    case .arnoweng: "arnoweng's split"
    case .seed: "split by seed"
    }
  }
}
