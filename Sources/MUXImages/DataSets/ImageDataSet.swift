// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Labelled images, reached by index from several threads at once.
public protocol ImageDataSet: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// The classes; a label is an index into them.
  var classNames: [String] { get }
  /// The label of a sample, without decoding its image.
  func label(at index: Int) -> Int
  /// What to call a sample in messages: the path of its file, or its place in one.
  func name(at index: Int) -> String
  /// Decodes a sample.
  /// - Throws: An error that names the file, if it is unreadable or damaged.
  func image(at index: Int) throws -> Image
  /// Things that are allowed but probably not meant, such as a single class.
  var warnings: [DataSetWarning] { get }
  /// What lies where the samples come from and is not among them.
  var leftOut: LeftOut { get }
  /// A hash of the samples as far as they are known without decoding them, to tell whether a data
  /// set changed: their names relative to where the data lies, labels, and sizes of files.
  var contentHash: UInt64 { get }
}

extension ImageDataSet {
  /// Decodes a sample and gives it with its label.
  public func sample(at index: Int) throws -> (image: Image, label: Int) {
    (try image(at: index), label(at: index))
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
      hash.add(label(at: index))
    }
    return hash.value
  }

  /// The number of samples in each class.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for index in 0..<count { counts[label(at: index)] += 1 }
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
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).map(\.printable).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
  }

  static func of(_ dataSet: some ImageDataSet) -> [DataSetWarning] {
    var warnings: [DataSetWarning] = []
    let names = dataSet.classNames
    if names.count == 1 { warnings.append(.singleClass(names[0])) }
    let empty = zip(names, dataSet.classCounts).filter { $0.1 == 0 }.map(\.0)
    if !empty.isEmpty { warnings.append(.emptyClasses(empty)) }
    return warnings
  }
}
