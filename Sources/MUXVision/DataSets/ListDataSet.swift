// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// Images named in a list of comma-separated values, one image a line with its class or classes.
///
/// ```
/// path,label                      path,labels            path,cat,dog
/// photos/1.jpg,cat                photos/1.jpg,cat       photos/1.jpg,1,0
/// "photos/dog, black.jpg",dog     photos/2.jpg,cat|dog   photos/2.jpg,1,1
/// ```
/// The first line names the columns: `path` (or `image`, `file`, `filename`) and `label` (or `class`);
/// others are passed over. A column `labels` (or one that is named for it) has any number of classes with
/// `|` between them; without either, all other columns are classes, with 0 or 1 below. Without such a line
/// what stands before the last comma is the path. Paths are relative to the folder of the list unless they
/// begin with a slash. Lines that begin with `#` are passed over. Fields may stand in quotes; the text is
/// UTF-8, with or without a byte order mark and with any line ends.
public struct ListDataSet: ImageDataSet {
  /// The CSV file that names the images.
  public let path: String
  /// The classes: the labels that occur, sorted by code points, or those that the initializer was
  /// given.
  public let classNames: [String]
  /// What is done with the EXIF orientation of the files.
  public var orientation: OrientationHandling = .applied

  private let files: [String]
  private let targets: [Target]
  private var unlabelled: [String] = []

  /// Reads a list; no image is opened.
  /// - Parameters:
  ///   - path: The list file.
  ///   - classNames: The classes in the order of the labels; nil takes the columns in their order, or
  ///     the sorted labels.
  ///   - labelColumn: The column that has the classes of an image, with `|` between them; nil looks for
  ///     one of the usual names.
  ///   - none: A name in that column that stands for no class, such as `No Finding`.
  ///   - requiresFiles: Whether an image that is not there, or of a format that is not read, is an
  ///     error at once; else reading it is one.
  /// - Throws: `ImageError` if the file is unreadable; `DataSetError.wrongLine` for the first line
  ///   that is malformed, has an unknown label, names an image twice or one that is missing, and
  ///   how many more there are.
  public init(
    path: String, classNames: [String]? = nil, labelColumn: String? = nil, none: String? = nil,
    requiresFiles: Bool = true
  ) throws {
    let bytes = try FileAccess.read(path)
    let text: CommaSeparatedText
    do throws(CommaSeparatedText.Failure) { text = try CommaSeparatedText(bytes) } catch {
      throw DataSetError.wrongLine(path: path, line: error.line, reason: error.reason)
    }
    var reading = Reading(
      path: path, known: classNames.map { Set($0) }, labelColumn: labelColumn, none: none)
    try reading.read(text.rows, of: bytes)
    if requiresFiles { reading.lookForFiles() }
    if let error = reading.firstProblem { throw error }
    let classes =
      classNames ?? reading.columnClasses
      ?? Set(reading.names.joined()).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let numbers = Dictionary(classes.enumerated().map { ($1, $0) }) { first, _ in first }
    self.path = path
    self.classNames = classes
    files = reading.files
    let labels = reading.names.map { $0.compactMap { numbers[$0] } }
    // A class each, unless the list is of another kind.
    let isSingle = reading.columnClasses == nil && labels.allSatisfy { $0.count == 1 }
    targets = labels.map { isSingle ? .label($0[0]) : .labels(Set($0)) }
  }

  /// The number of images.
  public var count: Int { files.count }
  /// The class or the classes of an image.
  public func target(at index: Int) -> Target { targets[index] }
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
    for target in targets { target.add(to: &hash) }
    return hash.value
  }

  /// Looks below the folder of the list for images that it does not name; they become a warning.
  public mutating func noteUnlabelled() {
    let folder = Reading.folder(of: path)
    var walk = FolderWalk(root: folder.isEmpty ? "." : folder)
    guard (try? walk.addAll()) != nil else { return }
    let named = Set(files.map { Reading.plain($0.dropPrefix(folder)) })
    unlabelled = walk.images.filter { !named.contains(Reading.plain($0)) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Images without labels, beside the usual warnings.
  public var warnings: [DataSetWarning] {
    DataSetWarning.of(self)
      + (unlabelled.isEmpty ? [] : [.unlabelled(list: path, files: unlabelled)])
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
  let labelColumn: String?
  let none: String?
  var files: [String] = []
  /// The classes of each file.
  var names: [[String]] = []
  /// The classes where each has a column.
  var columnClasses: [String]?
  private var lines: [Int] = []
  private var problems: [(line: Int, reason: String)] = []

  init(path: String, known: Set<String>?, labelColumn: String?, none: String?) {
    self.path = path
    self.known = known
    self.labelColumn = labelColumn
    self.none = none
  }

  /// Which columns hold what.
  private struct Columns {
    enum Labels {
      /// One class.
      case one(Int)
      /// Any number of classes.
      case several(Int)
      /// 0 or 1 for each class.
      case flags([(column: Int, name: String)])
    }
    var path = 0
    var labels = Labels.one(1)
    var count = 2
  }

  private static let pathColumns = ["path", "image", "file", "filename", "image_path", "filepath"]
  private static let labelColumns = ["label", "class", "class_name"]
  private static let setColumns = ["labels", "classes"]

  /// The folder of a file with the slash at its end; empty for a plain name.
  static func folder(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
  }

  mutating func read(
    _ rows: [CommaSeparatedText.Row], of bytes: [UInt8]
  ) throws(DataSetError) {
    var rows = rows.filter { !$0.fields[0].hasPrefix("#") }[...]
    var columns = Columns()
    if let header = rows.first, let named = try self.columns(header) {
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
      if file.isEmpty {
        problems.append((row.line, "there is no path"))
        continue
      }
      let own: [String]
      switch classes(row, columns) {
      case .success(let names): own = names
      case .failure(let problem):
        problems.append((row.line, problem.reason))
        continue
      }
      if let known, let other = own.first(where: { !known.contains($0) }) {
        problems.append((row.line, "'\(other)' is not one of the classes"))
        continue
      }
      let full = file.utf8.first == UInt8(ascii: "/") ? file : folder + file
      if let first = seen.updateValue(row.line, forKey: Self.plain(full)) {
        problems.append((row.line, "\(file) stands in line \(first) already"))
        continue
      }
      files.append(full)
      names.append(own)
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

  private struct Problem: Error { var reason: String }

  /// The classes of a row.
  private func classes(
    _ row: CommaSeparatedText.Row, _ columns: Columns
  ) -> Result<[String], Problem> {
    switch columns.labels {
    case .one(let column):
      let name = row.fields[column]
      return name.isEmpty ? .failure(Problem(reason: "there is no label")) : .success([name])
    case .several(let column):
      var seen: Set<String> = []
      return .success(
        row.fields[column].split(separator: "|").map {
          String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty && $0 != none && seen.insert($0).inserted })
    case .flags(let flags):
      var found: [String] = []
      for (column, name) in flags {
        switch row.fields[column] {
        case "1", "1.0": found.append(name)
        case "0", "0.0": break
        default:
          return .failure(
            Problem(
              reason:
                "'\(row.fields[column])' in the column '\(name)' is neither 0 nor 1; where one"
                + " column names the classes, name it (data.labelColumn)"))
        }
      }
      return .success(found)
    }
  }

  /// Which columns hold what, if a row names them.
  private mutating func columns(
    _ header: CommaSeparatedText.Row
  ) throws(DataSetError) -> Columns? {
    let (pathColumns, labelColumns) = (Self.pathColumns, Self.labelColumns)
    let names = header.fields.map { $0.lowercased() }
    let file = names.firstIndex { pathColumns.contains($0) }
    let label = names.firstIndex { labelColumns.contains($0) }
    if let labelColumn {
      guard let place = header.fields.firstIndex(of: labelColumn) else {
        throw .wrongLine(
          path: path, line: header.line,
          reason: "there is no column '\(labelColumn)' (data.labelColumn); there are "
            + header.fields.joined(separator: ", "))
      }
      return Columns(path: file ?? 0, labels: .several(place), count: names.count)
    }
    if let file, let label { return Columns(path: file, labels: .one(label), count: names.count) }
    if let file, let several = names.firstIndex(where: { Self.setColumns.contains($0) }) {
      return Columns(path: file, labels: .several(several), count: names.count)
    }
    if let file, names.count > 2 {
      let flags = header.fields.indices.filter { $0 != file }
        .map { (column: $0, name: header.fields[$0]) }
      let classes = flags.map(\.name)
      guard Set(classes).count == classes.count, !classes.contains("") else {
        throw .wrongLine(
          path: path, line: header.line, reason: "the columns of the classes need names, each once")
      }
      columnClasses = classes
      return Columns(path: file, labels: .flags(flags), count: names.count)
    }
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
  static func plain(_ path: String) -> String {
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
