// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// Images named in a list of comma-separated values, one image and its class a line.
///
/// ```
/// path,label
/// photos/1.jpg,cat
/// "photos/dog, black.jpg",dog
/// ```
/// The first line names the columns: `path` (or `image`, `file`, `filename`) and `label` (or
/// `class`); others are passed over. Without such a line what stands before the last comma is the
/// path. Paths are relative to the folder of the list unless they begin with a slash. Lines that begin
/// with `#` are passed over. Fields may stand in quotes; the text is UTF-8, with or without a byte
/// order mark and with any line ends.
public struct ListDataSet: ImageDataSet {
  /// The list file.
  public let path: String
  /// The classes: the labels that occur, sorted by code points, or those that the initializer was
  /// given.
  public let classNames: [String]
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied

  private let files: [String]
  private let labels: [Int32]

  /// Reads a list; no image is opened.
  /// - Parameters:
  ///   - path: The list file.
  ///   - classNames: The classes in the order of the labels; nil takes the sorted labels.
  ///   - requiresFiles: Whether an image that is not there, or of a format that is not read, is an
  ///     error at once; else reading it is one.
  /// - Throws: `ImageError` if the file is unreadable; `DataSetError.wrongLine` for the first line
  ///   that is malformed, has an unknown label, names an image twice or one that is missing, and
  ///   how many more there are.
  public init(path: String, classNames: [String]? = nil, requiresFiles: Bool = true) throws {
    let bytes = try FileAccess.read(path)
    let text: CommaSeparatedText
    do throws(CommaSeparatedText.Failure) { text = try CommaSeparatedText(bytes) } catch {
      throw DataSetError.wrongLine(path: path, line: error.line, reason: error.reason)
    }
    var reading = Reading(path: path, known: classNames.map { Set($0) })
    try reading.read(text.rows, of: bytes)
    if requiresFiles { reading.lookForFiles() }
    if let error = reading.firstProblem { throw error }
    let classes =
      classNames
      ?? Set(reading.names).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = Dictionary(classes.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    self.path = path
    self.classNames = classes
    files = reading.files
    labels = reading.names.compactMap { numbers[$0] }
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

  /// A hash of the paths as they stand in the list, the labels and the sizes of the files.
  public var contentHash: UInt64 {
    let folder = Reading.folder(of: path)
    var hash = FileSizes(files).hash(of: files.map { $0.dropPrefix(folder) })
    for label in labels { hash.add(Int(label)) }
    return hash.value
  }
}

extension String {
  fileprivate func dropPrefix(_ prefix: String) -> String {
    utf8.starts(with: prefix.utf8)
      ? String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
      : self
  }
}

/// A list on its way into a data set.
private struct Reading {
  let path: String
  let known: Set<String>?
  var files: [String] = []
  var names: [String] = []
  private var lines: [Int] = []
  private var problems: [(line: Int, reason: String)] = []

  init(path: String, known: Set<String>?) {
    self.path = path
    self.known = known
  }

  private static let pathColumns = ["path", "image", "file", "filename", "image_path", "filepath"]
  private static let labelColumns = ["label", "class", "class_name"]

  /// The folder of a file with the slash at its end; empty for a plain name.
  static func folder(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
  }

  mutating func read(
    _ rows: [CommaSeparatedText.Row], of bytes: [UInt8]
  ) throws(DataSetError) {
    var rows = rows.filter { !$0.fields[0].hasPrefix("#") }[...]
    var columns = (path: 0, label: 1, count: 2)
    if let header = rows.first, let named = try Self.columns(header, of: path) {
      columns = named
      rows = rows.dropFirst()
    } else {
      rows = rows.map { Self.cutAtLastComma($0, of: bytes) }[...]
    }
    guard !rows.isEmpty else {
      throw .wrongLine(path: path, line: 1, reason: "the list has no image")
    }
    let folder = Self.folder(of: path)
    var seen: [String: Int] = [:]
    for row in rows {
      guard row.fields.count == columns.count else {
        problems.append(
          (
            row.line,
            row.fields.count == 1
              ? "there is no label: only one field"
              : "\(row.fields.count) fields instead of \(columns.count); put fields that hold"
                + " commas in quotes"
          ))
        continue
      }
      let file = row.fields[columns.path]
      let name = row.fields[columns.label]
      if file.isEmpty || name.isEmpty {
        problems.append((row.line, file.isEmpty ? "there is no path" : "there is no label"))
        continue
      }
      if let known, !known.contains(name) {
        problems.append((row.line, "'\(name)' is not one of the classes"))
        continue
      }
      let full = file.utf8.first == UInt8(ascii: "/") ? file : folder + file
      if let first = seen.updateValue(row.line, forKey: Self.plain(full)) {
        problems.append((row.line, "\(file) stands in line \(first) already"))
        continue
      }
      files.append(full)
      names.append(name)
      lines.append(row.line)
    }
  }

  /// A row of a list without names of columns: paths may hold commas without standing in quotes.
  private static func cutAtLastComma(
    _ row: CommaSeparatedText.Row, of bytes: [UInt8]
  ) -> CommaSeparatedText.Row {
    let text = bytes[row.place]
    guard row.fields.count > 2, !text.contains(UInt8(ascii: "\"")), let label = row.fields.last,
      let comma = text.lastIndex(of: UInt8(ascii: ","))
    else { return row }
    var file = text[..<comma]
    func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
    while isBlank(file.first) { file.removeFirst() }
    while isBlank(file.last) { file.removeLast() }
    return CommaSeparatedText.Row(
      line: row.line, fields: [String(decoding: file, as: UTF8.self), label], place: row.place)
  }

  /// Which columns hold what, if a row names them.
  private static func columns(
    _ header: CommaSeparatedText.Row, of path: String
  ) throws(DataSetError) -> (path: Int, label: Int, count: Int)? {
    let names = header.fields.map { $0.lowercased() }
    let file = names.firstIndex { pathColumns.contains($0) }
    let label = names.firstIndex { labelColumns.contains($0) }
    if let file, let label { return (file, label, names.count) }
    if names.count == 1, names[0].contains(where: { $0 == ";" || $0 == "\t" }) {
      throw .wrongLine(
        path: path, line: header.line, reason: "the columns must be separated by commas")
    }
    if (file == nil) != (label == nil), ImageFormat(fileName: header.fields[0]) == nil {
      throw .wrongLine(
        path: path, line: header.line,
        reason: "the first line names no column '\(file == nil ? "path" : "label")'")
    }
    return nil
  }

  /// A path without the parts that say nothing.
  private static func plain(_ path: String) -> String {
    guard path.contains("/./") || path.contains("//") || path.hasPrefix("./") else { return path }
    let parts = path.split(separator: "/").filter { $0 != "." }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  mutating func lookForFiles() {
    let sizes = FileSizes(files)
    for index in files.indices {
      if let reason = ImageFormat(fileName: files[index])?.reasonUnread {
        problems.append((lines[index], "\(files[index]): \(reason)"))
      } else if sizes[index] == nil {
        problems.append((lines[index], "there is no file \(files[index])"))
      }
    }
  }

  /// The problem of the first line that has one.
  var firstProblem: DataSetError? {
    guard let first = problems.min(by: { $0.line < $1.line }) else { return nil }
    let more = problems.count - 1
    return .wrongLine(
      path: path, line: first.line,
      reason: first.reason
        + (more > 0 ? " (and \(more) more such line\(more == 1 ? "" : "s"))" : ""))
  }
}
