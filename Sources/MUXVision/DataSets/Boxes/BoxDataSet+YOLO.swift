// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages

extension BoxDataSet {
  /// Reads annotations in YOLO's form: beside each image, or in a folder `labels` where the images' is
  /// `images`, a text file of its name with one object a line: class, centre x, centre y, width, height, in
  /// shares of the image. An image without such a file has no objects.
  ///
  /// Files do not say how many pixels an image has, so the headers of the images are read. Objects that have
  /// an outline instead of a box get the box around it.
  ///
  /// - Parameters:
  ///   - images: A folder of images, or a text file with one path of an image a line.
  ///   - names: The classes in the order of their numbers in the files.
  ///   - classNames: The classes, as of the training; nil takes `names`.
  /// - Throws: `DataSetError` or `ImageError`, which name the file.
  public static func yolo(
    images: String, names: [String], classNames: [String]? = nil
  ) throws -> BoxDataSet {
    let files = try yoloImages(images)
    let classes = classNames ?? names
    let numbers = BoxReading.numbers(classes)
    var reading = BoxReading()
    for file in files {
      let label = labelFile(of: file)
      var entry = BoxReading.Entry(file: file)
      if FileIdentity(label) != nil {
        // Boxes are shares: without the size of the image they are nowhere.
        let size = try Image.size(ofFile: file, orientation: .ignored)
        entry.size = size
        for object in try yoloObjects(label, classes: names.count) {
          guard let number = numbers[names[object.label]] else {
            reading.note(.unknownClass, file)
            continue
          }
          var box = object
          box.label = number
          box.left *= Double(size.width)
          box.right *= Double(size.width)
          box.top *= Double(size.height)
          box.bottom *= Double(size.height)
          if let box = reading.checked(box, in: size, of: file) { entry.boxes.append(box) }
        }
      }
      reading.images.append(entry)
    }
    var dataSet = BoxDataSet(reading, classNames: classes)
    // Tools of this form look at pictures as they are stored.
    dataSet.orientation = .ignored
    return dataSet
  }

  private static func yoloImages(_ images: String) throws -> [String] {
    guard images.hasSuffix(".txt") else { return try ImageFiles([images]).paths }
    let folder = images.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let lines = String(decoding: try FileAccess.read(images), as: UTF8.self)
      .split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    guard !lines.isEmpty else { throw DataSetError.noImages(path: images) }
    return lines.map { line in
      let line = line.hasPrefix("./") ? line.dropFirst(2) : line
      return line.hasPrefix("/") || folder.isEmpty ? String(line) : "\(folder)/\(line)"
    }
  }

  /// The text file of an image.
  static func labelFile(of image: String) -> String {
    var parts = image.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if let place = parts.dropLast().lastIndex(of: "images") { parts[place] = "labels" }
    let name = parts.removeLast()
    let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    return (parts + ["\(stem).txt"]).joined(separator: "/")
  }

  /// The objects of a text file, in shares of the image.
  private static func yoloObjects(_ path: String, classes: Int) throws -> [LabeledBox] {
    let lines = String(decoding: try FileAccess.read(path), as: UTF8.self)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return try lines.enumerated().compactMap { index, line in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard !words.isEmpty else { return nil }
      func fail(_ reason: String) -> DataSetError {
        .wrongAnnotation(path: path, reason: "line \(index + 1): \(reason)")
      }
      let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
      guard numbers.count == words.count, numbers.count >= 5, !numbers.count.isMultiple(of: 2)
      else { throw fail("an object is five numbers: class, centre x, centre y, width, height") }
      guard let label = Int(exactly: numbers[0]), (0..<classes).contains(label) else {
        throw fail("the class \(words[0]) is none of the \(classes) classes (0 … \(classes - 1))")
      }
      guard numbers.count > 5 else {
        return LabeledBox(
          label: label, left: numbers[1] - numbers[3] / 2, top: numbers[2] - numbers[4] / 2,
          right: numbers[1] + numbers[3] / 2, bottom: numbers[2] + numbers[4] / 2)
      }
      let xs = stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] }
      let ys = stride(from: 2, to: numbers.count, by: 2).map { numbers[$0] }
      return LabeledBox(
        label: label, left: xs.min() ?? 0, top: ys.min() ?? 0, right: xs.max() ?? 0,
        bottom: ys.max() ?? 0)
    }
  }
}
