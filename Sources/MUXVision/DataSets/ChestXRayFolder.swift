// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages

/// Where the images, lists and labels of ChestX-ray14 lie below a folder.
struct ChestXRayFolder {
  /// The folder, or the table in it, as it was given.
  private let path: String
  private let root: String
  /// The tables of labels that may be meant, the likeliest first.
  private let tables: [String]
  /// The lists of a name, such as `test_list.txt`, which both divisions have.
  private let lists: [String: [String]]

  private static let listNames = [
    "train_val_list.txt", "train_list.txt", "val_list.txt", "test_list.txt",
  ]

  /// Looks into a folder and those directly in it.
  /// - Throws: `DataSetError` if there is none.
  init(_ path: String) throws(DataSetError) {
    self.path = path
    guard FolderEntries.isFolder(path) else {
      guard FileIdentity(path) != nil else { throw .notAFolder(path: path) }
      root = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
      tables = [path]
      lists = [:]
      return
    }
    root = path
    let own = try FolderEntries(path)
    var places = [path]
    for entry in own.entries where entry.kind == .folder || entry.kind == .linkedFolder {
      places.append(FolderWalk.join(path, entry.name))
    }
    var (tables, lists): ([String], [String: [String]]) = ([], [:])
    for place in places {
      for entry in try FolderEntries(place).entries where entry.kind == .file {
        let file = FolderWalk.join(place, entry.name)
        if entry.name.lowercased().hasSuffix(".csv") { tables.append(file) }
        if Self.listNames.contains(entry.name) { lists[entry.name, default: []].append(file) }
      }
    }
    // The table of the data set before others, and those of the folder itself before those below.
    self.tables =
      tables.filter(Self.isNamedAsNIHs) + tables.filter { !Self.isNamedAsNIHs($0) }
    self.lists = lists
  }

  /// A part's list: where it stands, and the numbers of the findings of each image.
  struct Part {
    var path: String
    var images: [(name: String, labels: [Int])]
  }

  /// The images that belong to a part, whether they are there or not.
  func list(of part: DataPart, in split: ChestXRay14.Split) throws -> Part {
    switch split {
    case .seed:
      guard part == .training else { throw noPart(part, in: split) }
      let table = try table()
      return Part(path: table.path, images: table.names.map { ($0, table.labels[$0] ?? []) })
    case .official:
      let parts = try official()
      guard part != .validation else { throw noPart(part, in: split) }
      let (list, table) = (part == .test ? parts.test : parts.training, try table())
      let without = list.names.filter { table.labels[$0] == nil }
      guard without.isEmpty else {
        throw DataSetError.chestXRays(
          path: table.path,
          reason: "there is no line for \(without.count.grouped) of the images of \(list.path),"
            + " such as \(without.prefix(3).joined(separator: ", ")); take the table of the whole data set"
        )
      }
      return Part(path: list.path, images: list.names.map { ($0, table.labels[$0] ?? []) })
    case .arnoweng:
      let parts = try arnoweng()
      let list =
        switch part {
        case .training: parts[0]
        case .validation: parts[1]
        case .test: parts[2]
        }
      return Part(path: list.path, images: list.names.map { ($0, list.labels[$0] ?? []) })
    }
  }

  /// Where each image lies, by its name.
  func images() throws(DataSetError) -> [String: String] {
    var walk = FolderWalk(root: root)
    try walk.addAll()
    var places: [String: String] = [:]
    places.reserveCapacity(walk.images.count)
    for image in walk.images {
      let name = image.lastIndex(of: "/").map { String(image[image.index(after: $0)...]) } ?? image
      guard ChestXRay14.patient(ofImage: name) != nil else { continue }
      let file = FolderWalk.join(root, image)
      if let other = places.updateValue(file, forKey: name) {
        throw .chestXRays(
          path: path,
          reason: "\(name) lies there twice, as \(other) and \(file); name the folder that has the"
            + " images once")
      }
    }
    return places
  }

  /// Whether a table has the name that the data set gives it.
  var hasTable: Bool { tables.first.map(Self.isNamedAsNIHs) ?? false }

  private static func isNamedAsNIHs(_ file: String) -> Bool {
    file.split(separator: "/").last?.hasPrefix("Data_Entry") ?? false
  }

  // MARK: Lists

  /// Whether all lists of a division are there.
  func hasLists(of split: ChestXRay14.Split) -> Bool {
    switch split {
    case .official: (try? official()) != nil
    case .arnoweng: (try? arnoweng()) != nil
    case .seed: true
    }
  }

  private func official() throws -> (training: ChestXRayList, test: ChestXRayList) {
    let training = try list("train_val_list.txt", withFlags: false, in: .official)
    let test = try list("test_list.txt", withFlags: false, in: .official)
    try requireApart([training, test])
    return (training, test)
  }

  private func arnoweng() throws -> [ChestXRayList] {
    let parts = try ["train_list.txt", "val_list.txt", "test_list.txt"].map {
      try list($0, withFlags: true, in: .arnoweng)
    }
    try requireApart(parts)
    return parts
  }

  /// The list of a name that is of the division: both have a `test_list.txt`.
  private func list(
    _ name: String, withFlags: Bool, in split: ChestXRay14.Split
  ) throws -> ChestXRayList {
    for file in lists[name] ?? [] {
      let bytes = try FileAccess.read(file)
      if ChestXRayList.hasFlags(bytes) == withFlags { return try ChestXRayList(bytes, path: file) }
    }
    throw DataSetError.chestXRays(
      path: path,
      reason:
        "there is no \(name) \(withFlags ? "of names and 14 flags" : "of names only") in it or"
        + " in a folder directly in it, as the \(split.title) has it; put it there, or choose"
        + " another data.split")
  }

  private func requireApart(_ lists: [ChestXRayList]) throws(DataSetError) {
    for (index, list) in lists.enumerated() {
      for other in lists[(index + 1)...] {
        let shared = list.patients.intersection(other.patients).sorted()
        guard shared.isEmpty else {
          throw .sharedGroups(first: list.path, second: other.path, groups: shared)
        }
      }
    }
  }

  private func noPart(_ part: DataPart, in split: ChestXRay14.Split) -> DataSetError {
    .chestXRays(
      path: path,
      reason: "the \(split.title) has no \(part.rawValue) images of its own; hold some of the"
        + " training images out with data.\(part.rawValue)Fraction (0.1, say)")
  }

  // MARK: Labels

  private func table() throws -> ChestXRayTable {
    for file in tables {
      if let table = try ChestXRayTable(FileAccess.read(file), path: file) { return table }
    }
    throw DataSetError.chestXRays(
      path: path,
      reason: "there is no table of labels in it or in a folder directly in it:"
        + " Data_Entry_2017.csv with the column 'Finding Labels', or another .csv with a column of"
        + " images and one of 0 and 1 for each of the 14 findings")
  }
}
