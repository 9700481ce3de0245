// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Images named in a text file, one `path,label` a line.
///
/// Paths are relative to the folder of the file unless they begin with a slash; what follows the
/// last comma is the label, a class name. Empty lines and lines that begin with `#` are passed over.
public struct ListDataSet: ImageDataSet {
  /// The list file.
  public let path: String
  /// The classes: the labels that occur, sorted, or those that the initializer was given.
  public let classNames: [String]
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied

  private let files: [String]
  private let labels: [Int32]

  /// Reads a list; no image is opened.
  /// - Parameters:
  ///   - path: The list file.
  ///   - classNames: The classes in the order of the labels; nil takes the sorted labels.
  /// - Throws: `ImageError` if the file is unreadable, `DataSetError` if a line is malformed, has
  ///   an unknown label, or there is none.
  public init(path: String, classNames: [String]? = nil) throws {
    let text = String(decoding: try FileAccess.read(path), as: UTF8.self)
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    var files: [String] = []
    var names: [String] = []
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let line = Self.trimmed(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let comma = line.lastIndex(of: ",") else {
        throw DataSetError.wrongLine(path: path, line: number + 1, reason: "no comma")
      }
      let file = Self.trimmed(line[..<comma])
      let name = Self.trimmed(line[line.index(after: comma)...])
      guard !file.isEmpty && !name.isEmpty else {
        throw DataSetError.wrongLine(
          path: path, line: number + 1, reason: file.isEmpty ? "no image path" : "no label")
      }
      if let classNames, !classNames.contains(name) {
        throw DataSetError.wrongLine(
          path: path, line: number + 1, reason: "'\(name)' is not one of the classes")
      }
      files.append(file.hasPrefix("/") ? file : folder + file)
      names.append(name)
    }
    guard !files.isEmpty else {
      throw DataSetError.wrongLine(path: path, line: 1, reason: "the list has no image")
    }
    let classes = classNames ?? Set(names).sorted()
    let numbers = Dictionary(
      classes.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    self.path = path
    self.classNames = classes
    self.files = files
    self.labels = names.compactMap { numbers[$0] }
  }

  /// The number of images.
  public var count: Int { files.count }
  /// The class of an image.
  public func label(at index: Int) -> Int { Int(labels[index]) }
  /// The path of an image.
  public func name(at index: Int) -> String { files[index] }
  /// Decodes an image.
  public func image(at index: Int) throws -> Image {
    try Image(contentsOfFile: files[index], orientation: orientation)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
