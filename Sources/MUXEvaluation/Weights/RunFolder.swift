// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// The folder of one run and the names of what lies in it.
public struct RunFolder: Hashable, Sendable {
  /// The path of the folder.
  public let path: String

  /// The resolved configuration, in YAML.
  public var configuration: String { "\(path)/configuration.yaml" }
  /// The machine, the versions and the command of the run, in JSON.
  public var environment: String { "\(path)/environment.json" }
  /// What the run reads and what it leaves out, in JSON.
  public var data: String { "\(path)/data.json" }
  /// The network, in JSON.
  public var network: String { "\(path)/network.json" }
  /// One row per epoch.
  public var summary: String { "\(path)/summary.csv" }
  /// The outcome, in JSON, written at the end.
  public var result: String { "\(path)/result.json" }
  /// The checkpoints to resume from.
  public var checkpoints: String { "\(path)/checkpoints" }
  /// The best weights so far, ready for evaluation and prediction.
  public var bestWeights: String { "\(path)/best.safetensors" }
  /// The latest weights, ready for evaluation and prediction.
  public var lastWeights: String { "\(path)/last.safetensors" }

  /// The latest weights that the networks of a search space share, where the run trains such.
  public var supernet: String { "\(path)/supernet.safetensors" }
  /// The search space of those, in YAML.
  public var space: String { "\(path)/space.yaml" }

  /// The folder of a run that another process has made, perhaps on another machine.
  package init(madeElsewhere path: String) { self.init(path) }

  private init(_ path: String) { self.path = path }

  /// The run in an existing folder; a path to a file inside it will do as well.
  public init(existing path: String) throws(RunFolderError) {
    var candidate = path
    while candidate.count > 1 && candidate.hasSuffix("/") { candidate.removeLast() }
    for _ in 0..<4 {
      if Self.isRun(candidate) {
        self.path = candidate
        return
      }
      guard let slash = candidate.lastIndex(of: "/"), slash != candidate.startIndex else { break }
      candidate = String(candidate[..<slash])
    }
    throw .nothingToResume(path: path)
  }

  /// The paths of the runs in a folder of runs, by name.
  ///
  /// - Throws: `FileError` where the folder cannot be read.
  package static func all(in folder: String) throws -> [String] {
    // Foundation's error has no number of the system's.
    guard let stream = opendir(folder) else { throw FileError.last("read", folder) }
    closedir(stream)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return names.sorted().map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
      .filter(isRun)
  }

  /// The run in a folder of runs that was at work last: the one whose checkpoints are the newest.
  ///
  /// - Throws: ``RunFolderError/nothingToResume(path:)`` where none has any.
  public static func latest(in folder: String) throws(RunFolderError) -> RunFolder {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: folder)) ?? []
    var latest: (path: String, date: Date)?
    for path in names.sorted().map({ "\(folder)/\($0)" }) where isRun(path) {
      let checkpoints = (try? manager.contentsOfDirectory(atPath: "\(path)/checkpoints")) ?? []
      guard !checkpoints.isEmpty,
        let facts = try? manager.attributesOfItem(atPath: "\(path)/checkpoints"),
        let date = facts[.modificationDate] as? Date, date > latest?.date ?? .distantPast
      else { continue }
      latest = (path, date)
    }
    guard let latest else { throw .nothingToResume(path: folder) }
    return try RunFolder(existing: latest.path)
  }

  /// Makes the folder `folder/name`, or `folder/name-2` and so on where it exists. One of a run that was
  /// killed before it had anything to go on from is taken over.
  ///
  /// - Parameters:
  ///   - name: The run's name.
  ///   - folder: The folder of all runs; made where absent.
  ///   - overwrites: Whether an existing run of that name is removed first.
  /// - Returns: The folder and its lock, which nobody else can have had since it was made.
  package static func begin(
    _ name: String, in folder: String, overwrites: Bool
  ) throws(RunFolderError) -> (folder: RunFolder, lock: RunLock) {
    do { try Folders.make(folder) } catch {
      throw .notWritable(path: folder, code: error.code)
    }
    let first = "\(folder)/\(name)"
    if overwrites, FileManager.default.fileExists(atPath: first) {
      guard isRun(first) || isEmpty(first) else { throw .notARun(path: first) }
      let lock = try RunLock(first)
      defer { withExtendedLifetime(lock) {} }
      do { try FileManager.default.removeItem(atPath: first) } catch {
        throw .notWritable(path: first, code: code(of: error))
      }
    }
    for number in 1..<1_000_000 {
      let candidate = number == 1 ? first : "\(first)-\(number)"
      guard let lock = try claim(candidate) else { continue }
      let run = RunFolder(candidate)
      guard mkdir(run.checkpoints, 0o755) == 0 else {
        let code = errno
        run.discard()
        throw .notWritable(path: run.checkpoints, code: code)
      }
      return (run, lock)
    }
    throw .notWritable(path: first, code: EEXIST)
  }

  /// Makes a folder, or empties one in which a run ended at its start, and takes its lock; nil where it is
  /// another's. Whoever has the lock has the folder: of two that begin at once, one goes on to the next name.
  private static func claim(_ path: String) throws(RunFolderError) -> RunLock? {
    while true {
      let isNew = mkdir(path, 0o755) == 0
      guard isNew || errno == EEXIST else { throw .notWritable(path: path, code: errno) }
      guard isNew || isBarren(path) else { return nil }
      let lock: RunLock
      do { lock = try RunLock(path) } catch {
        switch error {
        case .inUse: return nil
        // Somebody removed it meanwhile.
        case .notWritable(_, ENOENT): continue
        default: throw error
        }
      }
      guard isBarren(path, lockIsOurs: true) else { return nil }
      do {
        // Checkpoints go last: without them nobody else would take over what is left.
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        for name in names where name != ".lock" && name != "checkpoints" {
          try FileManager.default.removeItem(atPath: "\(path)/\(name)")
        }
        if names.contains("checkpoints") {
          try FileManager.default.removeItem(atPath: "\(path)/checkpoints")
        }
      } catch { throw .notWritable(path: path, code: code(of: error)) }
      return lock
    }
  }

  /// Removes a folder that was made for a run which then could not begin. Nothing is said where that
  /// fails: there is an error to tell already.
  package func discard() { try? FileManager.default.removeItem(atPath: path) }

  private static func isRun(_ path: String) -> Bool {
    let manager = FileManager.default
    return manager.fileExists(atPath: "\(path)/checkpoints")
      || manager.fileExists(atPath: "\(path)/configuration.yaml")
  }

  /// Whether a run ended before its first checkpoint, so that nothing in its folder can be gone on from:
  /// what lies there was written at its start, and no process is at work on it.
  private static func isBarren(_ path: String, lockIsOurs: Bool = false) -> Bool {
    let manager = FileManager.default
    guard let names = try? manager.contentsOfDirectory(atPath: path),
      lockIsOurs || !RunLock.isHeld(path)
    else { return false }
    // A run makes these two before it writes any file. Files without them, such as settings for a run to
    // come, are somebody's own.
    let first: Set = [".lock", "checkpoints"]
    guard first.isSuperset(of: names) || first.isSubset(of: names) else { return false }
    let usual = [
      ".lock", "configuration.yaml", "environment.json", "data.json", "network.json", "space.yaml",
      "checkpoints",
    ]
    guard
      names.allSatisfy({ name in
        usual.contains(name) || name.hasPrefix("events.out.tfevents.")
          || usual.contains { AtomicFile.isLeftover(name, of: $0) }
      })
    else { return false }
    let checkpoints = (try? manager.contentsOfDirectory(atPath: "\(path)/checkpoints")) ?? []
    return checkpoints.allSatisfy { $0.hasPrefix(".partial-") }
  }

  private static func isEmpty(_ path: String) -> Bool {
    (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
  }

  private static func code(of error: any Error) -> Int32 {
    var current = error as NSError
    while true {
      if current.domain == NSPOSIXErrorDomain { return Int32(truncatingIfNeeded: current.code) }
      guard let next = current.userInfo[NSUnderlyingErrorKey] as? NSError else { break }
      current = next
    }
    return (error as? CocoaError)?.code == .fileWriteNoPermission ? EACCES : EIO
  }
}
