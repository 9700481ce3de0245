// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages

extension BoxDataSet {
  /// PASCAL VOC's twenty classes in their usual order.
  public static let vocClasses = [
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
  ]

  /// Reads a part of a data set in PASCAL VOC's form: `Annotations/ID.xml`, `ImageSets/Main/PART.txt`,
  /// `JPEGImages/ID.jpg`.
  ///
  /// Its corners are the numbers of pixels from 1, and the last pixel belongs to the box; so an edge is
  /// the number less 1 at the left and the top, and the number itself at the right and the bottom. A box
  /// whose second corner is not greater than its first is left out.
  ///
  /// - Parameters:
  ///   - path: The folder, or one with several such folders (`VOC2007` and `VOC2012`), of which all that
  ///     have the part are taken.
  ///   - part: The name of a list, `trainval`; of one folder alone, `VOC2007/trainval`; several with
  ///     `+` between them.
  ///   - classNames: The classes, as of the training; nil takes those that occur, sorted, or the twenty
  ///     of PASCAL VOC where the folder has its name.
  ///   - orientation: What is done with the EXIF orientation of the files.
  /// - Throws: `DataSetError` or `ImageError`, which name the file.
  public static func voc(
    path: String, part: String, classNames: [String]? = nil,
    orientation: OrientationHandling = .applied
  ) throws -> BoxDataSet {
    var objects: [(folder: String, id: String, annotation: VOCAnnotation)] = []
    for (folder, list) in try VOCFolders(path).lists(of: part) {
      for id in try VOCFolders.identifiers(list) {
        let file = "\(folder)/Annotations/\(id).xml"
        objects.append((folder, id, try VOCAnnotation(path: file)))
      }
    }
    guard !objects.isEmpty else { throw DataSetError.noImages(path: "\(path) (\(part))") }
    let occurring = Set(objects.flatMap { $0.annotation.objects.map(\.name) })
    let isVOC =
      occurring.isSubset(of: vocClasses)
      && objects.allSatisfy { $0.folder.split(separator: "/").last?.hasPrefix("VOC20") == true }
    let names = classNames ?? (isVOC ? vocClasses : BoxReading.sorted(occurring))
    let numbers = BoxReading.numbers(names)
    var reading = BoxReading()
    for (folder, id, annotation) in objects {
      let image = VOCFolders.image(folder, id, annotation.filename)
      var entry = BoxReading.Entry(file: image, size: annotation.size)
      let size = annotation.size ?? BoxReading.size(ofFile: image, orientation: orientation)
      for object in annotation.objects {
        guard let label = numbers[object.name] else {
          reading.note(.unknownClass, image)
          continue
        }
        let corners = object.corners
        guard corners[2] > corners[0], corners[3] > corners[1] else {
          reading.note(.withoutArea, image)
          continue
        }
        let box = LabeledBox(
          label: label, left: corners[0] - 1, top: corners[1] - 1, right: corners[2],
          bottom: corners[3], isDifficult: object.isDifficult)
        if let box = reading.checked(box, in: size, of: image) {
          entry.boxes.append(box)
        }
      }
      reading.images.append(entry)
    }
    var dataSet = BoxDataSet(reading, classNames: names)
    dataSet.orientation = orientation
    return dataSet
  }
}

extension BoxDataSet {
  /// Whether a folder in PASCAL VOC's form has a part.
  package static func hasVOC(path: String, part: String) -> Bool {
    (try? VOCFolders(path).has(part)) == true
  }
}

/// Where the files of a data set in PASCAL VOC's form lie.
struct VOCFolders {
  let path: String
  /// The folders with annotations: the path itself, or those in it.
  let folders: [String]

  init(_ path: String) throws {
    self.path = path
    func hasAnnotations(_ folder: String) -> Bool {
      FolderEntries.isFolder("\(folder)/Annotations")
    }
    if hasAnnotations(path) {
      folders = [path]
      return
    }
    guard FolderEntries.isFolder(path) else { throw DataSetError.notAFolder(path: path) }
    folders = try FolderEntries(path).entries.map { "\(path)/\($0.name)" }.filter(hasAnnotations)
    guard !folders.isEmpty else {
      throw DataSetError.missingFiles(
        path: path, files: ["Annotations", "JPEGImages"],
        advice: "give the folder that has them, or one with several such folders")
    }
  }

  func has(_ part: String) -> Bool { ((try? lists(of: part)) ?? []).isEmpty == false }

  /// The lists of a part, each with the folder that it belongs to.
  func lists(of part: String) throws -> [(folder: String, list: String)] {
    try part.split(separator: "+").flatMap { piece in
      let name = piece.filter { $0 != " " }
      let words = name.split(separator: "/")
      let owners =
        words.count > 1
        ? folders.filter { $0.split(separator: "/").last == words[0] } : folders
      let list = words.last ?? ""
      let found = owners.map { (folder: $0, list: "\($0)/ImageSets/Main/\(list).txt") }
        .filter { FileIdentity($0.list) != nil }
      guard !found.isEmpty else {
        throw DataSetError.missingFiles(
          path: path, files: ["ImageSets/Main/\(list).txt"], advice: Self.advice(owners))
      }
      return found
    }
  }

  /// What helps where a list is missing: those that are there.
  private static func advice(_ folders: [String]) -> String {
    let names = Set(
      folders.flatMap { folder in
        ((try? FolderEntries("\(folder)/ImageSets/Main").entries) ?? []).map(\.name)
      }.filter { $0.hasSuffix(".txt") && !$0.contains("_") }.map { $0.dropLast(4) })
    guard !names.isEmpty else { return "unpack the whole data set there" }
    return
      "its lists are \(names.sorted().prefix(8).joined(separator: ", ")); name one in data.trainingFolder,"
      + " data.validationFolder or data.testFolder"
  }

  /// The names in a list; what stands behind a name in its line is not part of it.
  static func identifiers(_ list: String) throws -> [String] {
    let text = String(decoding: try FileAccess.read(list), as: UTF8.self)
    var seen: Set<Substring> = []
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first
    }.filter { seen.insert($0).inserted }.map(String.init)
  }

  /// The image of an annotation: by its number, with the extension that is there.
  static func image(_ folder: String, _ id: String, _ filename: String) -> String {
    let usual = "\(folder)/JPEGImages/\(id)"
    let own = filename.split(separator: ".").last.map { [String($0)] } ?? []
    for ending in ["jpg"] + own + ["png", "jpeg", "JPG", "bmp"]
    where FileIdentity("\(usual).\(ending)") != nil {
      return "\(usual).\(ending)"
    }
    return "\(usual).jpg"
  }
}

/// What an XML file says about an image.
struct VOCAnnotation {
  struct Object {
    var name: String
    var isDifficult: Bool
    /// Numbers of pixels, from 1: left, top, right, bottom.
    var corners: [Double]
  }

  var filename: String
  var size: ImageSize?
  var objects: [Object]

  init(path: String) throws {
    let bytes = try FileAccess.read(path)
    func fail(_ reason: String) -> DataSetError {
      DataSetError.wrongAnnotation(path: path, reason: reason)
    }
    let root: XMLElement
    do throws(XMLElement.Failure) { root = try XMLElement(bytes) } catch {
      throw fail("line \(error.line): \(error.reason)")
    }
    guard root.name == "annotation" else {
      throw fail("it begins with <\(root.name)> and not with <annotation>")
    }
    filename = root["filename"]?.trimmed ?? ""
    let sides = root["size"].map { size in
      ["width", "height"].map { size[$0].flatMap { Int($0.trimmed) } ?? 0 }
    }
    // Some tools write 0 for what they do not know.
    size = sides.flatMap { sides in
      sides.allSatisfy { 1...1 << 16 ~= $0 } ? ImageSize(height: sides[1], width: sides[0]) : nil
    }
    // Parts of an object (a head, a hand) have boxes of their own, which are none of the data set's.
    objects = try root.children.filter { $0.name == "object" }.map { object in
      guard let name = object["name"]?.trimmed, !name.isEmpty else {
        throw fail("an object has no name")
      }
      guard let box = object["bndbox"] else { throw fail("the \(name) has no bndbox") }
      let corners = try ["xmin", "ymin", "xmax", "ymax"].map { key in
        guard let number = box[key].flatMap({ Double($0.trimmed) }), number.isFinite else {
          throw fail("the \(name) has no number '\(key)' in its bndbox")
        }
        return number
      }
      return Object(
        name: name, isDifficult: object["difficult"]?.trimmed == "1", corners: corners)
    }
  }
}
