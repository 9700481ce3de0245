// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages

extension BoxDataSet {
  /// Reads annotations in COCO's form: one JSON file with `images`, `annotations` and `categories`.
  ///
  /// Classes are the categories by ascending number, whatever gaps the numbers have; ``categoryIDs`` are
  /// these numbers. Crowds are kept as such. Images without annotations have no boxes.
  ///
  /// - Parameters:
  ///   - path: The JSON file.
  ///   - images: The folder of the images.
  ///   - classNames: The classes, as of the training; nil takes the categories.
  ///   - orientation: What is done with the EXIF orientation of the files.
  /// - Throws: `DataSetError` or `ImageError`, which name the file.
  public static func coco(
    path: String, images: String, classNames: [String]? = nil,
    orientation: OrientationHandling = .applied
  ) throws -> BoxDataSet {
    let bytes = try FileAccess.read(path)
    let file: COCOFile
    do { file = try JSONDecoder().decode(COCOFile.self, from: Data(bytes)) } catch {
      throw DataSetError.wrongAnnotation(
        path: path, reason: (error as? DecodingError)?.reason ?? "it is no JSON")
    }
    guard !file.images.isEmpty else { throw DataSetError.noImages(path: path) }
    let categories = try file.sortedCategories(path: path)
    let names = classNames ?? categories.map(\.name)
    guard Set(names).count == names.count else {
      throw DataSetError.wrongAnnotation(path: path, reason: "two categories have one name")
    }
    var reading = BoxReading()
    let places = try reading.add(file.images, in: images, path: path)
    let numbers = BoxReading.numbers(names)
    let labels = Dictionary(categories.map { ($0.id, numbers[$0.name]) }) { first, _ in first }
    var headers: [Int: ImageSize] = [:]
    for annotation in file.annotations {
      guard let place = places[annotation.image_id] else {
        reading.note(.unknownImage, "\(path) (image \(annotation.image_id))")
        continue
      }
      let entry = reading.images[place]
      guard let known = labels[annotation.category_id], let label = known else {
        reading.note(.unknownClass, entry.file)
        continue
      }
      let box = try annotation.box(label: label, path: path)
      if entry.size == nil, headers[place] == nil {
        headers[place] = BoxReading.size(ofFile: entry.file, orientation: orientation)
      }
      if let box = reading.checked(box, in: entry.size ?? headers[place], of: entry.file) {
        reading.images[place].boxes.append(box)
      }
    }
    var dataSet = BoxDataSet(
      reading, classNames: names, categoryIDs: classNames == nil ? categories.map(\.id) : nil)
    dataSet.orientation = orientation
    return dataSet
  }

  /// Where the annotations of a part and its images lie below a folder: as COCO, or tools that write its
  /// form, lay them out. Nil where there are none.
  package static func cocoFiles(
    path: String, part: String
  ) -> (annotations: String, images: String)? {
    func isThere(_ path: String) -> Bool { FileIdentity(path) != nil }
    guard
      let file = [
        "annotations/instances_\(part).json", "annotations/\(part).json", "\(part).json",
        "\(part)/_annotations.coco.json",
      ].map({ "\(path)/\($0)" }).first(where: isThere)
    else { return nil }
    let folder = ["\(path)/\(part)", "\(path)/images/\(part)", "\(path)/images"]
      .first(where: FolderEntries.isFolder)
    return (file, folder ?? path)
  }
}

/// The parts of COCO's files that are used.
private struct COCOFile: Decodable {
  struct Image: Decodable {
    var id: Int
    var file_name: String
    var width: Int?
    var height: Int?
  }
  struct Category: Decodable {
    var id: Int
    var name: String
  }
  struct Annotation: Decodable {
    var image_id: Int
    var category_id: Int
    var bbox: [Double]
    var area: Double?
    var iscrowd: Int?
    var ignore: Int?
  }
  var images: [Image]
  var categories: [Category]
  var annotations: [Annotation]
}

extension COCOFile {
  /// The categories by their numbers.
  ///
  /// - Throws: `DataSetError` where a number or a name says nothing.
  fileprivate func sortedCategories(path: String) throws(DataSetError) -> [Category] {
    let sorted = categories.sorted { $0.id < $1.id }
    for (former, next) in zip(sorted, sorted.dropFirst()) where former.id == next.id {
      // Which of them is meant by a box's number, nobody can know.
      throw .wrongAnnotation(path: path, reason: "two categories have the id \(next.id)")
    }
    if let nameless = sorted.first(where: { $0.name.allSatisfy(\.isWhitespace) }) {
      throw .wrongAnnotation(path: path, reason: "the category \(nameless.id) has no name")
    }
    return sorted
  }
}

extension COCOFile.Annotation {
  /// The box with its edges.
  ///
  /// - Throws: `DataSetError` for one without four numbers.
  fileprivate func box(label: Int, path: String) throws(DataSetError) -> LabeledBox {
    guard bbox.count == 4, bbox.allSatisfy(\.isFinite) else {
      throw .wrongAnnotation(
        path: path, reason: "a box of the image \(image_id) is not [x, y, width, height]")
    }
    return LabeledBox(
      label: label, left: bbox[0], top: bbox[1], right: bbox[0] + bbox[2],
      bottom: bbox[1] + bbox[3], isDifficult: ignore == 1, isCrowd: iscrowd == 1, area: area)
  }
}

extension BoxReading {
  /// Adds images, as yet without boxes, and says where each is by its number.
  ///
  /// - Throws: `DataSetError` where two have one number.
  fileprivate mutating func add(
    _ listed: [COCOFile.Image], in folder: String, path: String
  ) throws(DataSetError) -> [Int: Int] {
    var places: [Int: Int] = [:]
    for image in listed {
      guard places.updateValue(images.count, forKey: image.id) == nil else {
        throw .wrongAnnotation(path: path, reason: "two images have the id \(image.id)")
      }
      let size: ImageSize? =
        if let width = image.width, let height = image.height, 1...1 << 16 ~= width,
          1...1 << 16 ~= height
        {
          ImageSize(height: height, width: width)
        } else { nil }
      images.append(Entry(file: FolderWalk.join(folder, image.file_name), size: size))
    }
    return places
  }
}
