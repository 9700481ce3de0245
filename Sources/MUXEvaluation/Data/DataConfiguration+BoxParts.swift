// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
package import MUXVision

extension DataConfiguration {
  /// All parts of a data set with boxes; nil where what lies at the path is another kind of data.
  ///
  /// PASCAL VOC's form is told by a folder `Annotations`, COCO's by JSON files, YOLO's by a YAML file, and
  /// a list of boxes by its columns.
  package static func boxParts(at path: String) throws -> [DataSetPart]? {
    guard let source = boxSource(at: path) else { return nil }
    var data = DataConfiguration()
    data.source = source
    data.path = path
    var classNames: [String]?
    return names(of: source, at: path).map { part, name in
      var data = data
      data.setName(name, of: part)
      let place = name.isEmpty ? path : "\(path) (\(name))"
      let opened = DataSetPart(place) {
        try data.openBoxes(part, classNames: classNames)
      }
      // Classes of other parts that the first does not have are worth a word.
      if classNames == nil { classNames = try? opened.content.get().classNames }
      return opened
    }
  }

  /// Opens a part with boxes: of a name (as `trainval`), or the first that there is.
  ///
  /// - Returns: Nil where what lies at the path is another kind of data.
  package static func boxes(at path: String, part: String?) throws -> BoxDataSet? {
    guard let source = boxSource(at: path) else { return nil }
    var data = DataConfiguration()
    data.source = source
    data.path = path
    let found = names(of: source, at: path)
    let named =
      part.map { name in (found.first { $0.1 == name }?.0 ?? .training, name) } ?? found.first
    guard let (part, name) = named else { throw DataSetError.noImages(path: path) }
    data.setName(name, of: part)
    return try data.openBoxes(part, classNames: nil)
  }

  /// The kind of data with boxes that lies at a path; nil where it is another kind.
  package static func boxSource(at path: String) -> Source? {
    func isThere(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
    if isFile(path) {
      switch path.lowercased().split(separator: ".").last {
      case "json": return .coco
      case "yaml", "yml": return .yolo
      case "csv": return BoxDataSet.isList(path) ? .boxes : nil
      default: return nil
      }
    }
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    if isThere("Annotations") || folders.contains(where: { isThere("\($0)/Annotations") }) {
      return .voc
    }
    if isThere("data.yaml") { return .yolo }
    let jsons = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/annotations")) ?? []
    if jsons.contains(where: { $0.hasPrefix("instances_") && $0.hasSuffix(".json") }) {
      return .coco
    }
    let lists = DataPart.allCases.flatMap(\.folderNames).map { "\(path)/\($0).csv" }
    return lists.contains { isFile($0) && BoxDataSet.isList($0) } ? .boxes : nil
  }

  private static func names(of source: Source, at path: String) -> [(DataPart, String)] {
    func present(_ isThere: (String) -> Bool) -> [(DataPart, String)] {
      let found = DataPart.allCases.flatMap { part in
        part.folderNames.filter(isThere).prefix(1).map { (part, $0) }
      }
      return found.isEmpty ? [(.training, "trainval")] : found
    }
    switch source {
    case .voc: return present { BoxDataSet.hasVOC(path: path, part: $0) }
    case .coco:
      guard !isFile(path) else { return [(.training, "")] }
      let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/annotations")) ?? [])
        .filter { $0.hasPrefix("instances_") && $0.hasSuffix(".json") }.sorted()
        .map { String($0.dropFirst("instances_".count).dropLast(".json".count)) }
      return names.map { name in
        let part = DataPart.allCases.first { $0.folderNames.contains { name.hasPrefix($0) } }
        return (part ?? .training, name)
      }.sorted { $0.0 == .training && $1.0 != .training }
    case .yolo:
      guard let description = try? YOLODescription(path: path) else { return [(.training, "")] }
      return DataPart.allCases.filter { (try? description.images(of: $0)) != nil }.map {
        ($0, $0.folderNames[0])
      }
    case .boxes where !isFile(path): return present { isFile("\(path)/\($0).csv") }
    case .boxes, .digits, .cifar10, .cifar100, .folder, .list, .chestxray14:
      return [(.training, "")]
    }
  }

  private mutating func setName(_ name: String, of part: DataPart) {
    switch part {
    case .training: trainingFolder = name
    case .validation: validationFolder = name
    case .test: testFolder = name
    }
  }
}
