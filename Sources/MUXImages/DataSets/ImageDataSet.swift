// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Images with what is known about them, reached by index from several threads at once.
public protocol ImageDataSet: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// The classes; targets have indices into them.
  var classNames: [String] { get }
  /// What is known about a sample, without decoding its image. The kind is the same for all. Boxes are
  /// where they are in what `image(at:)` gives.
  func target(at index: Int) -> Target
  /// The size of a sample's image as its file holds it, where that is known without decoding it.
  func storedSize(at index: Int) -> ImageSize?
  /// The number of each class in the files of the data, where classes have numbers of their own (COCO's
  /// categories); nil where they have names only.
  var categoryIDs: [Int]? { get }
  /// The number of the group of samples that a split divides evenly, from 0; the first class of the
  /// sample, as a rule, with those of no class behind all others.
  func stratum(at index: Int) -> Int
  /// What a sample belongs to that no split may cut apart, such as the patient of an image; nil where each
  /// sample stands for itself.
  func group(at index: Int) -> String?
  /// Which of several usual divisions of the data the samples are of, for what is said about results; nil
  /// where there is one only.
  var division: String? { get }
  /// What to call a sample in messages: the path of its file, or its place in one.
  func name(at index: Int) -> String
  /// Decodes a sample.
  /// - Throws: An error that names the file, if it is unreadable or damaged.
  func image(at index: Int) throws -> Image
  /// Decodes a sample and gives it with what is known about it, moved with the image where that is
  /// prepared already.
  func sample(at index: Int) throws -> Sample
  /// The steps that the images have been through already.
  var preparation: [ImageTransform] { get }
  /// Things that are allowed but probably not meant, such as a single class.
  var warnings: [DataSetWarning] { get }
  /// What lies where the samples come from and is not among them.
  var leftOut: LeftOut { get }
  /// A hash of the samples as far as they are known without decoding them, to tell whether a data
  /// set changed: their names relative to where the data lies, labels, and sizes of files.
  var contentHash: UInt64 { get }
}

extension ImageDataSet {
  /// Decodes a sample and gives it with what is known about it.
  public func sample(at index: Int) throws -> Sample {
    Sample(image: try image(at: index), target: target(at: index))
  }

  /// Not known.
  public func storedSize(at index: Int) -> ImageSize? { nil }
  /// Classes have names only.
  public var categoryIDs: [Int]? { nil }

  /// None.
  public var preparation: [ImageTransform] { [] }

  /// None: each sample stands for itself.
  public func group(at index: Int) -> String? { nil }

  /// None.
  public var division: String? { nil }

  /// The first class of a sample; those of no class come behind all others.
  public func stratum(at index: Int) -> Int {
    target(at: index).classes.first ?? classNames.count
  }

  /// Warnings about the number of classes and the samples in each.
  public var warnings: [DataSetWarning] { DataSetWarning.of(self) }

  /// Nothing is left out, unless the data set says so.
  public var leftOut: LeftOut { LeftOut() }

  /// A hash of the names and labels.
  public var contentHash: UInt64 {
    var hash = StableHash()
    for index in 0..<count {
      hash.add(name(at: index))
      target(at: index).add(to: &hash)
    }
    return hash.value
  }

  /// The number of samples in which each class occurs.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for index in 0..<count {
      // What lies outside is for `check` of a task to tell.
      for label in target(at: index).classes where counts.indices.contains(label) {
        counts[label] += 1
      }
    }
    return counts
  }
}

/// Something about a data set that is allowed but probably not meant.
public enum DataSetWarning: Sendable, Hashable, Codable, CustomStringConvertible {
  /// There is nothing to tell apart.
  case singleClass(String)
  /// Classes without samples.
  case emptyClasses([String])
  /// Classes whose names differ by upper and lower case only.
  case similarClasses([String])
  /// Classes whose folders are one folder, by links: their images have several labels.
  case sharedFolder([String])
  /// A cache that has no room for all images.
  case partlyCached(images: Int, of: Int, bytes: Int)

  /// Boxes that were left out or cut off, in words.
  case boxes(String)

  /// Images beside those that a list names.
  case unlabelled(list: String, files: [String])

  /// Images that a list names and that are not there.
  case missing(list: String, of: Int, files: [String])

  /// One line for a log.
  public var description: String {
    switch self {
    case .singleClass(let name):
      "the data set has one class only (\(name.printable)): there is nothing to learn to tell apart"
    case .emptyClasses(let names):
      "classes without images (\(names.count)): \(Self.list(names))"
    case .similarClasses(let names):
      "classes whose names differ by upper and lower case only: \(Self.list(names)); they stay"
        + " classes of their own"
    case .sharedFolder(let names):
      "classes that links make one folder: \(Self.list(names)); their images have several labels"
    case .partlyCached(let images, let count, let bytes):
      "the cache of \(bytes >> 20) MiB holds \(images) of \(count) images; the others are decoded each"
        + " time they are used"
    case .boxes(let text): text
    case .unlabelled(let list, let files):
      "\(files.count) image\(files.count == 1 ? " is" : "s are") not in \(list.printable) and left out:"
        + " \(Self.examples(files))"
    case .missing(let list, let count, let files):
      "\(files.count.grouped) of the \(count.grouped) images of \(list.printable) are not there and left"
        + " out: \(Self.examples(files))"
    }
  }

  private static func examples(_ files: [String]) -> String {
    files.prefix(5).map(\.printable).joined(separator: ", ") + (files.count > 5 ? ", …" : "")
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).map(\.printable).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
  }

  package static func of(_ dataSet: some ImageDataSet) -> [DataSetWarning] {
    var warnings: [DataSetWarning] = []
    let names = dataSet.classNames
    if names.count == 1 { warnings.append(.singleClass(names[0])) }
    let empty = zip(names, dataSet.classCounts).filter { $0.1 == 0 }.map(\.0)
    if !empty.isEmpty { warnings.append(.emptyClasses(empty)) }
    return warnings
  }
}
