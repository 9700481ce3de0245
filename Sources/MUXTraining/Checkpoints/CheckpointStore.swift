// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXEvaluation
public import MUXWeights

/// The checkpoints of one run: a folder for each, named after its step.
///
/// A checkpoint's files are written and synced in a folder of a passing name, its manifest last;
/// then the folder is renamed. A folder with its final name is therefore whole, whenever the
/// process or the machine stops. The manifest has the size and the checksum of each file, and both
/// are compared before anything is loaded.
public struct CheckpointStore: Sendable {
  /// The folder of the checkpoints.
  public let path: String

  static let stateName = "state.json"
  private static let prefix = "step-"
  private static let partial = ".partial-"

  /// The store in a folder, which must exist.
  public init(path: String) {
    self.path = path
  }

  /// The name of the checkpoint after `step` optimizer steps; a serial number tells apart several
  /// of one step, such as those before and after the evaluation of an epoch.
  static func name(step: Int, serial: Int = 0) -> String {
    let digits = String(step)
    let name = prefix + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    return serial == 0 ? name : "\(name).\(serial)"
  }

  /// The step and the serial number in a checkpoint's name.
  static func position(of name: String) -> (step: Int, serial: Int)? {
    guard name.hasPrefix(prefix) else { return nil }
    let parts = name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard let step = parts.first.flatMap({ Int($0) }), parts.count <= 2 else { return nil }
    guard parts.count == 2 else { return (step, 0) }
    return Int(parts[1]).map { (step, $0) }
  }

  /// The names of all whole checkpoints, oldest first.
  public func names() -> [String] {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return found.compactMap { name in Self.position(of: name).map { (name, $0) } }
      .sorted { $0.1 < $1.1 }.map(\.0)
  }

  /// The folder of a checkpoint.
  public func folder(of name: String) -> String { "\(path)/\(name)" }

  /// The name that the next checkpoint after `step` steps gets.
  func nextName(step: Int) -> String {
    let serials = names().compactMap { Self.position(of: $0) }.filter { $0.step == step }
    return Self.name(step: step, serial: (serials.map(\.serial).max() ?? -1) + 1)
  }

  /// Writes a checkpoint of the given files and state.
  ///
  /// - Parameters:
  ///   - archives: The tensors, by file name.
  ///   - state: The state beside them.
  ///   - name: The checkpoint's name, one that does not exist; by default `nextName(step:)`.
  /// - Returns: The name.
  @discardableResult
  public func save(
    _ archives: [(file: String, archive: TensorArchive)], state: TrainingState,
    name: String? = nil
  ) throws -> String {
    let name = name ?? nextName(step: state.step)
    let temporary = folder(of: Self.partial + name)
    let manager = FileManager.default
    if manager.fileExists(atPath: temporary) { try manager.removeItem(atPath: temporary) }
    guard mkdir(temporary, 0o755) == 0 else {
      throw RunFolderError.notWritable(path: temporary, code: errno)
    }
    do {
      var files: [String: Manifest.File] = [:]
      for (file, archive) in archives {
        try Safetensors.write(archive, to: "\(temporary)/\(file)")
        files[file] = try Manifest.File(path: "\(temporary)/\(file)")
      }
      let manifest = Manifest(files: files, state: state)
      try AtomicFile.write(
        [UInt8](try Manifest.encoder.encode(manifest)), to: "\(temporary)/\(Self.stateName)")
      guard rename(temporary, folder(of: name)) == 0 else {
        throw FileError(operation: "rename", path: temporary, code: errno)
      }
      Self.sync(path)
    } catch {
      try? manager.removeItem(atPath: temporary)
      throw error
    }
    return name
  }

  /// Whether nothing lies in the folder, not even what was saved for a look after a failure.
  var isEmpty: Bool {
    (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
  }

  /// Removes what an interrupted save left behind.
  public func removePartial() {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in found where name.hasPrefix(Self.partial) {
      try? FileManager.default.removeItem(atPath: folder(of: name))
    }
  }

  /// Removes all checkpoints but those named.
  public func prune(keeping kept: Set<String>) {
    for name in names() where !kept.contains(name) {
      // Renamed first: a half-removed folder must not look whole.
      let doomed = folder(of: Self.partial + "old-" + name)
      if rename(folder(of: name), doomed) == 0 {
        try? FileManager.default.removeItem(atPath: doomed)
      }
    }
  }

  /// Reads the state of a checkpoint, by default the latest, and checks that all its files are as
  /// they were written.
  ///
  /// - Parameters:
  ///   - name: The checkpoint; nil takes the latest.
  ///   - required: Files that it must have.
  public func load(
    _ name: String? = nil, requiring required: [String] = []
  ) throws -> (name: String, state: TrainingState) {
    guard let name = name ?? names().last else { throw CheckpointError.none(path: path) }
    let folder = folder(of: name)
    let manifest = try Manifest(reading: "\(folder)/\(Self.stateName)", folder: folder)
    func damaged(_ reason: String) -> CheckpointError { .damaged(path: folder, reason: reason) }
    if let reason = manifest.state.reasonToDoubt(name: name) { throw damaged(reason) }
    if let absent = required.first(where: { manifest.files[$0] == nil }) {
      throw damaged("\(Self.stateName) does not name \(absent)")
    }
    for (file, expected) in manifest.files.sorted(by: { $0.key < $1.key }) {
      do {
        let region = try ByteRegion(mapping: "\(folder)/\(file)")
        // The size first: reading a file of an absurd size takes as long.
        guard region.count == expected.bytes else {
          throw damaged("\(file) has \(region.count) bytes instead of \(expected.bytes)")
        }
        guard Manifest.File(region) == expected else {
          throw damaged("the checksum of \(file) is wrong")
        }
        _ = try Safetensors.read(region, path: file)
      } catch let error as CheckpointError {
        throw error
      } catch {
        throw damaged("\(error)")
      }
    }
    return (name, manifest.state)
  }

  /// Reads the newest checkpoint that is as it was written, and says which newer ones are not.
  ///
  /// - Throws: `CheckpointError.none` where there is no checkpoint, `noneSound` where all are damaged,
  ///   `newer` where one was written by a newer program: that one is not damaged, and to go on from an
  ///   older one would lose its work.
  public func loadNewestSound(requiring required: [String] = []) throws -> (
    name: String, state: TrainingState, damaged: [DamagedCheckpoint]
  ) {
    var damaged: [DamagedCheckpoint] = []
    for name in names().reversed() {
      do {
        let (name, state) = try load(name, requiring: required)
        return (name, state, damaged)
      } catch CheckpointError.damaged(_, let reason) {
        damaged.append(DamagedCheckpoint(name: name, reason: reason))
      }
    }
    guard !damaged.isEmpty else { throw CheckpointError.none(path: path) }
    throw CheckpointError.noneSound(path: path, tried: damaged)
  }

  /// Reads one of a checkpoint's tensor files.
  public func archive(_ file: String, of name: String) throws -> TensorArchive {
    try Safetensors.read("\(folder(of: name))/\(file)")
  }

  private static func sync(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
