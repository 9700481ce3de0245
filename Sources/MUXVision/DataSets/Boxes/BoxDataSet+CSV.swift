// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

extension BoxDataSet {
  /// Reads boxes from comma-separated values, one box a line:
  ///
  /// ```
  /// image,x0,y0,x1,y1,class
  /// photos/1.jpg,12,30,200,180,dog
  /// photos/2.jpg,,,,,
  /// ```
  /// Coordinates are pixels of the image, edges between pixels. A line without box and class names an
  /// image without objects. Columns may stand in any order and be called `xmin`, `left` and so on; a column
  /// `difficult` may have 1. Paths are relative to the folder of the list. A list does not say how many pixels
  /// an image has, so the headers of the images are read.
  ///
  /// - Parameters:
  ///   - path: The list.
  ///   - classNames: The classes, as of the training; nil takes those that occur, sorted.
  ///   - orientation: What is done with the EXIF orientation of the files.
  /// - Throws: `ImageError` or `DataSetError`, which name the file and the line.
  public static func list(
    path: String, classNames: [String]? = nil, orientation: OrientationHandling = .applied
  ) throws -> BoxDataSet {
    let bytes = try FileAccess.read(path)
    let text: CommaSeparatedText
    do throws(CommaSeparatedText.Failure) { text = try CommaSeparatedText(bytes) } catch {
      throw DataSetError.wrongBoxLine(path: path, line: error.line, reason: error.reason)
    }
    let rows = text.rows.filter { !$0.fields[0].hasPrefix("#") }
    guard let header = rows.first else { throw DataSetError.noImages(path: path) }
    let columns = try Columns(header, path: path)
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
    var order: [String] = []
    var objects: [String: [(name: String, box: LabeledBox)]] = [:]
    for row in rows.dropFirst() {
      let (file, object) = try columns.object(of: row, path: path)
      let full = file.hasPrefix("/") ? file : folder + file
      if objects[full] == nil {
        objects[full] = []
        order.append(full)
      }
      if let object { objects[full]?.append(object) }
    }
    guard !order.isEmpty else { throw DataSetError.noImages(path: path) }
    let names =
      classNames ?? BoxReading.sorted(Set(objects.values.flatMap { $0.map(\.name) }))
    let numbers = BoxReading.numbers(names)
    var reading = BoxReading()
    for file in order {
      var entry = BoxReading.Entry(file: file)
      let size = BoxReading.size(ofFile: file, orientation: orientation)
      for (name, box) in objects[file] ?? [] {
        guard let label = numbers[name] else {
          reading.note(.unknownClass, file)
          continue
        }
        var box = box
        box.label = label
        if let box = reading.checked(box, in: size, of: file) { entry.boxes.append(box) }
      }
      reading.images.append(entry)
    }
    var dataSet = BoxDataSet(reading, classNames: names)
    dataSet.orientation = orientation
    return dataSet
  }

  /// Whether a list names the columns of boxes.
  package static func isList(_ path: String) -> Bool {
    guard let bytes = try? FileAccess.read(path),
      let text = try? CommaSeparatedText(
        Array(bytes.prefix { $0 != 0x0a && $0 != 0x0d })),
      let header = text.rows.first
    else { return false }
    return (try? Columns(header, path: path)) != nil
  }

  private struct Columns {
    var count: Int
    var image: Int
    var edges: [Int]
    var label: Int
    var difficult: Int?

    init(_ header: CommaSeparatedText.Row, path: String) throws {
      let fields = header.fields.map { $0.lowercased() }
      func place(_ names: [String]) throws -> Int {
        guard let place = fields.firstIndex(where: names.contains) else {
          throw DataSetError.wrongBoxLine(
            path: path, line: header.line,
            reason: "there is no column '\(names[0])'; the first line names the columns:"
              + " image,x0,y0,x1,y1,class")
        }
        return place
      }
      image = try place(["image", "path", "file", "filename", "image_path"])
      edges = [
        try place(["x0", "xmin", "left"]), try place(["y0", "ymin", "top"]),
        try place(["x1", "xmax", "right"]), try place(["y1", "ymax", "bottom"]),
      ]
      label = try place(["class", "label", "name", "class_name"])
      difficult = fields.firstIndex(of: "difficult")
      count = fields.count
    }

    /// The image that a line names, and the object in it; nil for a line that says there is none.
    func object(
      of row: CommaSeparatedText.Row, path: String
    ) throws(DataSetError) -> (image: String, object: (name: String, box: LabeledBox)?) {
      func fail(_ reason: String) -> DataSetError {
        .wrongBoxLine(path: path, line: row.line, reason: reason)
      }
      guard row.fields.count == count else {
        throw fail("\(row.fields.count) fields instead of \(count)")
      }
      let file = row.fields[image]
      guard !file.isEmpty else { throw fail("there is no image") }
      let texts = edges.map { row.fields[$0] }
      let name = row.fields[label]
      if name.isEmpty, texts.allSatisfy(\.isEmpty) { return (file, nil) }
      guard !name.isEmpty else { throw fail("there is a box, but no class") }
      var numbers: [Double] = []
      for text in texts {
        guard let number = Double(text), number.isFinite else {
          throw fail("'\(text)' is no number of pixels")
        }
        numbers.append(number)
      }
      let box = LabeledBox(
        label: 0, left: numbers[0], top: numbers[1], right: numbers[2], bottom: numbers[3],
        isDifficult: difficult.map { row.fields[$0] } == "1")
      return (file, (name, box))
    }
  }
}
