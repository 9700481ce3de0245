// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages

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
  /// - Throws: `DataSetError` or `ImageError`, which name the file.
  public static func coco(
    path: String, images: String, classNames: [String]? = nil
  ) throws -> BoxDataSet {
    let bytes = try FileAccess.read(path)
    let file: COCOFile
    do { file = try JSONDecoder().decode(COCOFile.self, from: Data(bytes)) } catch {
      throw DataSetError.wrongAnnotation(
        path: path, reason: (error as? DecodingError)?.reason ?? "it is no JSON")
    }
    guard !file.images.isEmpty else { throw DataSetError.noImages(path: path) }
    let categories = file.categories.sorted { $0.id < $1.id }
    for (former, next) in zip(categories, categories.dropFirst()) where former.id == next.id {
      // Which of them is meant by a box's number, nobody can know.
      throw DataSetError.wrongAnnotation(
        path: path, reason: "two categories have the id \(next.id)")
    }
    if let nameless = categories.first(where: { $0.name.allSatisfy(\.isWhitespace) }) {
      throw DataSetError.wrongAnnotation(
        path: path, reason: "the category \(nameless.id) has no name")
    }
    let names = classNames ?? categories.map(\.name)
    guard Set(names).count == names.count else {
      throw DataSetError.wrongAnnotation(path: path, reason: "two categories have one name")
    }
    let numbers = BoxReading.numbers(names)
    let labels = Dictionary(categories.map { ($0.id, numbers[$0.name]) }) { first, _ in first }
    var reading = BoxReading()
    var places: [Int: Int] = [:]
    for image in file.images {
      guard places.updateValue(reading.images.count, forKey: image.id) == nil else {
        throw DataSetError.wrongAnnotation(path: path, reason: "two images have the id \(image.id)")
      }
      let size: ImageSize? =
        if let width = image.width, let height = image.height, 1...1 << 16 ~= width,
          1...1 << 16 ~= height
        {
          ImageSize(height: height, width: width)
        } else { nil }
      reading.images.append(
        BoxReading.Entry(file: FolderWalk.join(images, image.file_name), size: size))
    }
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
      let sides = annotation.bbox
      guard sides.count == 4, sides.allSatisfy(\.isFinite) else {
        throw DataSetError.wrongAnnotation(
          path: path,
          reason: "a box of the image \(annotation.image_id) is not [x, y, width, height]")
      }
      let box = LabeledBox(
        label: label, left: sides[0], top: sides[1], right: sides[0] + sides[2],
        bottom: sides[1] + sides[3], isDifficult: annotation.ignore == 1,
        isCrowd: annotation.iscrowd == 1, area: annotation.area)
      if let box = reading.checked(box, in: entry.size, of: entry.file) {
        reading.images[place].boxes.append(box)
      }
    }
    return BoxDataSet(
      reading, classNames: names, categoryIDs: classNames == nil ? categories.map(\.id) : nil)
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
