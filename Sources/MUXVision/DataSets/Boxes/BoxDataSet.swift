// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Images with boxes, however they were written down.
///
/// Boxes are in pixels of the image, their edges between pixels: one over the whole image is 0, 0, width,
/// height. Those without an area are left out, and what lies outside the image is cut off, by the size that
/// the annotations or else the header of the file says; ``warnings`` counts them.
public struct BoxDataSet: ImageDataSet {
  /// Names of the classes of boxes, by class number.
  public let classNames: [String]
  /// The number of each class in the files, where classes have numbers of their own (COCO).
  public let categoryIDs: [Int]?
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied
  /// What is wrong with boxes: how many, and the image of the first.
  public let problems: [BoxProblem: (count: Int, example: String)]

  private let files: [String]
  private let boxes: [[LabeledBox]]
  private let sizes: [ImageSize?]

  init(_ reading: BoxReading, classNames: [String], categoryIDs: [Int]? = nil) {
    self.classNames = classNames
    self.categoryIDs = categoryIDs
    problems = reading.problems
    files = reading.images.map(\.file)
    boxes = reading.images.map(\.boxes)
    sizes = reading.images.map(\.size)
  }

  /// The number of images.
  public var count: Int { files.count }
  /// The boxes of an image.
  public func target(at index: Int) -> Target { .boxes(boxes[index]) }
  /// The size of an image, where its annotation says it.
  public func storedSize(at index: Int) -> ImageSize? { sizes[index] }
  /// The path of an image.
  public func name(at index: Int) -> String { files[index] }

  /// The size of an image, as its annotation says; where that does not, as the header of its file does.
  public func size(at index: Int) throws -> ImageSize {
    if let size = sizes[index] { return size }
    return try Image.size(ofFile: files[index], orientation: orientation)
  }

  /// Decodes an image.
  ///
  /// - Throws: `DataSetError.otherImage` where it has another size than its annotation says.
  public func image(at index: Int) throws -> Image {
    let image = try Image(contentsOfFile: files[index], orientation: orientation)
    if let size = sizes[index], size != image.size {
      throw DataSetError.otherImage(path: files[index], size: image.size, annotated: size)
    }
    return image
  }

  /// A hash of the names, the boxes and the sizes of the files.
  public var contentHash: UInt64 {
    var hash = FileSizes(files).hash(
      of: files.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
    for index in files.indices { target(at: index).add(to: &hash) }
    return hash.value
  }

  /// What is wrong with boxes, beside the usual warnings.
  public var warnings: [DataSetWarning] {
    var usual = DataSetWarning.of(self)
    // One class is enough to look for.
    usual.removeAll { if case .singleClass = $0 { true } else { false } }
    return usual
      + BoxProblem.allCases.compactMap { problem in
        problems[problem].map {
          .boxes(problem.text(count: $0.count, example: $0.example))
        }
      }
  }
}

/// Annotations on their way into a data set.
struct BoxReading {
  /// One image.
  struct Entry {
    var file: String
    /// The size that the annotation says; nil where it does not.
    var size: ImageSize?
    var boxes: [LabeledBox] = []
  }

  var images: [Entry] = []
  var problems: [BoxProblem: (count: Int, example: String)] = [:]

  mutating func note(_ problem: BoxProblem, _ image: String) {
    problems[problem, default: (0, image)].count += 1
  }

  /// The size of an image that its annotations do not say, by the header of its file; nil of one that cannot
  /// be read, which opening the image will tell.
  static func size(ofFile file: String, orientation: OrientationHandling) -> ImageSize? {
    try? Image.size(ofFile: file, orientation: orientation)
  }

  /// A box as it is kept, nil where it is left out.
  mutating func checked(_ box: LabeledBox, in size: ImageSize?, of image: String) -> LabeledBox? {
    guard box.left < box.right, box.top < box.bottom else {
      note(.withoutArea, image)
      return nil
    }
    guard let size else { return box }
    var result = box
    result.left = max(box.left, 0)
    result.top = max(box.top, 0)
    result.right = min(box.right, Double(size.width))
    result.bottom = min(box.bottom, Double(size.height))
    guard result.left < result.right, result.top < result.bottom else {
      note(.outside, image)
      return nil
    }
    if result != box { note(.partlyOutside, image) }
    return result
  }

  /// The numbers of classes by their names.
  static func numbers(_ classNames: [String]) -> [String: Int] {
    Dictionary(classNames.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  static func sorted(_ names: Set<String>) -> [String] {
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
