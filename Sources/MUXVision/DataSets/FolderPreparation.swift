// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages

/// Scales the images of a folder down, once, so that a training does not decode large files in every epoch.
///
/// The new folder has the images under the same paths, and the lists and tables (`.csv`, `.txt`) that lie
/// among them. Images whose shorter side is at most the asked one are copied as they are; the others become
/// PNG files. A preparation that was broken off goes on where it stopped: every file is whole or not there.
public struct FolderPreparation: Sendable {
  /// The folder of the images.
  public let source: String
  /// Where the copies go; made if it is not there.
  public let destination: String
  /// The length that shorter sides get at most.
  public let side: Int
  /// The images, relative to the folder.
  public let images: [String]
  /// Files that are copied as they are, relative to the folder.
  public let lists: [String]

  /// The images that are there already.
  private let done: Set<String>

  /// What is kept in the new folder, so that only the same preparation goes on in it.
  private struct Record: Codable, Hashable {
    var version = 1
    var source: String
    var side: Int
  }

  static let recordName = "prepared.json"

  /// What was done.
  public struct Outcome: Sendable, Hashable, Encodable {
    /// An image that cannot be read.
    public struct Broken: Sendable, Hashable, Encodable {
      /// Its path.
      public var name: String
      /// Why.
      public var reason: String
    }

    /// Images that were scaled.
    public var scaled = 0
    /// Images that were small enough, and were copied.
    public var copied = 0
    /// Images that were there already.
    public var before = 0
    /// Of the scaled ones, those that have another name now, since they are PNG files.
    public var renamed = 0
    /// Images that cannot be read, and are left out.
    public var broken: [Broken] = []
    /// Whether all images were looked at.
    public var isComplete = false

    private enum CodingKeys: String, CodingKey {
      case scaled, copied, before, renamed, broken, isComplete
    }
  }

  /// Looks at both folders; nothing is written.
  /// - Throws: `DataSetError` where the source has no image, or the new folder lies in it or has other
  ///   things in it.
  public init(source: String, destination: String, side: Int) throws {
    guard FolderEntries.isFolder(source) else { throw DataSetError.notAFolder(path: source) }
    self.source = source
    self.destination = destination
    self.side = side
    let manager = FileManager.default
    if FileIdentity(destination) != nil {
      guard FolderEntries.isFolder(destination) else {
        throw DataSetError.preparation(
          path: destination, reason: "it is a file; name a folder that is new or empty")
      }
    }
    // Of a folder that is not there yet, the place counts.
    var place = URL(filePath: destination).standardizedFileURL
    while FileIdentity(place.path(percentEncoded: false)) == nil, place.path != "/" {
      place = place.deletingLastPathComponent()
    }
    let path = place.path(percentEncoded: false)
    guard let own = FileIdentity(source), FileIdentity(path) != own,
      !FileIdentity.ancestors(of: path).contains(own)
    else {
      throw DataSetError.preparation(
        path: destination, reason: "it lies in \(source) itself; name a folder beside it")
    }
    var walk = FolderWalk(root: source)
    try walk.addAll()
    guard !walk.images.isEmpty else {
      throw DataSetError.noImages(path: source, leftOut: walk.leftOut)
    }
    images = walk.images
    lists = try Self.lists(in: source, below: "")
    try Self.checkNames(images, in: source)
    let record = "\(destination)/\(Self.recordName)"
    if let data = manager.contents(atPath: record) {
      guard let before = try? JSONDecoder().decode(Record.self, from: data) else {
        throw DataSetError.preparation(path: record, reason: "it is damaged; take another folder")
      }
      guard before == Record(source: Self.real(source), side: side) else {
        throw DataSetError.preparation(
          path: destination,
          reason: "images of \(before.source) with sides of \(before.side) are prepared in it"
            + " already; take another folder")
      }
      var present = FolderWalk(root: destination)
      try present.addAll()
      done = Set(present.images)
    } else {
      let there = (try? manager.contentsOfDirectory(atPath: destination)) ?? []
      guard there.isEmpty else {
        throw DataSetError.preparation(
          path: destination,
          reason: "the folder has other things in it (\(there.sorted()[0])); name one that is"
            + " new or empty")
      }
      done = []
    }
  }

  /// Writes what is missing.
  /// - Parameters:
  ///   - threads: How many images are worked on at once.
  ///   - progress: Told the images done so far, on the calling thread; false stops, and what is
  ///     done stays.
  /// - Throws: `ImageError` where the new folder cannot be written.
  public func run(threads: Int = 2, progress: (Int) -> Bool = { _ in true }) throws -> Outcome {
    try makeFolder(destination)
    let record = Record(source: Self.real(source), side: side)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try FileAccess.writeAtomically(
      [UInt8](encoder.encode(record)) + [0x0a], to: "\(destination)/\(Self.recordName)")
    // First, so that images with lists are usable as far as they are there.
    for list in lists {
      try makeFolder(of: list)
      try FileAccess.writeAtomically(
        FileAccess.read(FolderWalk.join(source, list)), to: FolderWalk.join(destination, list))
    }
    var outcome = Outcome()
    let open = images.filter { !done.contains($0) && !done.contains(Self.scaledName($0)) }
    outcome.before = images.count - open.count
    for folder in Set(open.map(Self.folder(of:))).sorted() {
      try makeFolder(FolderWalk.join(destination, folder))
    }
    if outcome.before > 0 { removeLeftovers() }
    var first = 0
    guard progress(outcome.before) else { return outcome }
    while first < open.count {
      let block = open[first..<min(first + 32, open.count)]
      let results = parallelMap(block.count, threads: threads) { offset in
        Result { try prepare(block[block.startIndex + offset]) }
      }
      for (image, result) in zip(block, results) {
        switch result {
        case .success(.scaled):
          outcome.scaled += 1
          if Self.scaledName(image) != image { outcome.renamed += 1 }
        case .success(.copied): outcome.copied += 1
        case .success(.broken(let reason)):
          outcome.broken.append(.init(name: FolderWalk.join(source, image), reason: reason))
        case .failure(let error): throw error
        }
      }
      first += block.count
      guard progress(outcome.before + first) else { return outcome }
    }
    outcome.isComplete = true
    return outcome
  }

  /// Removes what calls that were killed have left, also where others have made the image since.
  private func removeLeftovers() {
    for folder in Set((images + lists).map(Self.folder(of:)) + [""]) {
      AtomicFile.removeLeftovers(in: FolderWalk.join(destination, folder))
    }
  }

  private enum Work: Sendable { case scaled, copied, broken(String) }

  /// Prepares one image. What cannot be read is a result, what cannot be written an error.
  private func prepare(_ path: String) throws -> Work {
    let file = FolderWalk.join(source, path)
    let (bytes, image): ([UInt8], Image)
    do {
      bytes = try FileAccess.read(file)
      image = try Image(data: bytes, name: file)
    } catch {
      let reason = "\(error)"
      return .broken(
        reason.hasPrefix("\(file): ") ? String(reason.dropFirst(file.count + 2)) : reason)
    }
    guard min(image.width, image.height) > side else {
      try FileAccess.writeAtomically(bytes, to: FolderWalk.join(destination, path))
      return .copied
    }
    try Resize(shorterSide: side).apply(to: image)
      .writePNG(to: FolderWalk.join(destination, Self.scaledName(path)))
    return .scaled
  }

  // MARK: Names and folders

  /// The name that a scaled image has: that of a PNG file.
  static func scaledName(_ path: String) -> String {
    guard let dot = path.lastIndex(of: "."), path[dot...].lowercased() != ".png" else {
      return path
    }
    return "\(path[..<dot]).png"
  }

  private static func checkNames(_ images: [String], in source: String) throws(DataSetError) {
    var taken: [String: String] = [:]
    for image in images {
      if let other = taken.updateValue(image, forKey: scaledName(image)) {
        throw .preparation(
          path: source,
          reason: "\(other) and \(image) would both become \(scaledName(image)); rename one")
      }
    }
  }

  /// Lists and tables in and below a folder; links to folders are not followed.
  private static func lists(in root: String, below folder: String) throws(DataSetError) -> [String]
  {
    var found: [String] = []
    for entry in try FolderEntries(FolderWalk.join(root, folder)).entries {
      let path = FolderWalk.join(folder, entry.name)
      if entry.kind == .folder {
        found += try lists(in: root, below: path)
      } else if entry.kind == .file,
        ["csv", "txt"].contains(where: {
          entry.name.lowercased().hasSuffix(".\($0)")
        })
      {
        found.append(path)
      }
    }
    return found
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  private static func real(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
  }

  private func makeFolder(of path: String) throws(ImageError) {
    try makeFolder(FolderWalk.join(destination, Self.folder(of: path)))
  }

  private func makeFolder(_ path: String) throws(ImageError) {
    do { try Folders.make(path) } catch {
      throw .unwritable(path: error.path, reason: error.cause)
    }
  }
}
