// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXImages
import MUXVision

/// The YAML file of a data set in YOLO's form: where its parts lie and what its classes are called.
struct YOLODescription {
  /// The file.
  let path: String
  /// The classes in the order of their numbers.
  let names: [String]
  private let parts: [DataPart: String]

  /// One name after the other, or each under its number.
  private enum Names: Decodable {
    case list([String])
    case numbered([String: String])

    init(from decoder: any Decoder) throws {
      if let list = try? decoder.singleValueContainer().decode([String].self) {
        self = .list(list)
      } else {
        self = .numbered(try decoder.singleValueContainer().decode([String: String].self))
      }
    }
  }

  private struct File: Decodable {
    var path: String?
    var train: String?
    var val: String?
    var test: String?
    var names: Names
  }

  /// Reads the file, or the one YAML file of a folder.
  init(path given: String) throws {
    var path = given
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      let files = try FileManager.default.contentsOfDirectory(atPath: path)
        .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
      guard files.count == 1 || files.contains("data.yaml") else {
        throw DataSetError.missingFiles(
          path: path, files: ["data.yaml"], advice: "name the YAML file of its parts and classes")
      }
      path += "/" + (files.contains("data.yaml") ? "data.yaml" : files[0])
    }
    let file = try ConfigurationTree(contentsOf: path)
      .keeping(["path", "train", "val", "test", "names"]).decode(File.self)
    switch file.names {
    case .list(let list): names = list
    case .numbered(let numbered):
      let sorted = numbered.compactMap { key, name in Int(key).map { ($0, name) } }
        .sorted { $0.0 < $1.0 }
      guard sorted.map(\.0) == Array(0..<numbered.count) else {
        throw DataSetError.wrongAnnotation(
          path: path, reason: "the names are not numbered 0, 1, 2 …")
      }
      names = sorted.map(\.1)
    }
    guard !names.isEmpty else {
      throw DataSetError.wrongAnnotation(path: path, reason: "it names no classes")
    }
    for (number, name) in names.enumerated() {
      if name.allSatisfy(\.isWhitespace) {
        throw DataSetError.wrongAnnotation(path: path, reason: "the class \(number) has no name")
      }
    }
    guard Set(names).count == names.count else {
      throw DataSetError.wrongAnnotation(path: path, reason: "two classes have one name")
    }
    self.path = path
    let own = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    func below(_ folder: String, _ name: String) -> String {
      name.hasPrefix("/") ? name : name == "." || name.isEmpty ? folder : "\(folder)/\(name)"
    }
    let root = file.path.map { below(own, $0) } ?? own
    var parts: [DataPart: String] = [:]
    for (part, place) in [
      (DataPart.training, file.train), (.validation, file.val), (.test, file.test),
    ] {
      guard let place else { continue }
      // Where the data was moved, its path is another; the file still lies with it.
      parts[part] =
        [below(root, place), below(own, place)].first {
          FileManager.default.fileExists(atPath: $0)
        } ?? below(root, place)
    }
    self.parts = parts
  }

  /// The folder or the list of a part's images.
  func images(of part: DataPart) throws -> String {
    guard let place = parts[part] else {
      throw DataSetError.wrongAnnotation(
        path: path,
        reason: "it names no \(part.rawValue) images"
          + " (\(part == .training ? "train" : part == .validation ? "val" : "test"))")
    }
    return place
  }
}
