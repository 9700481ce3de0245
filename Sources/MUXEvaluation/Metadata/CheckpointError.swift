// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a checkpoint cannot be used.
public enum CheckpointError: Hashable, Sendable, DescribedError {
  /// There is none in the folder.
  case none(path: String)
  /// A file of it is missing, or not as it was written.
  case damaged(path: String, reason: String)
  /// There are some in the folder, newest first, and each of them is damaged.
  case noneSound(path: String, tried: [DamagedCheckpoint])
  /// The best weights of a run cannot be read; the last ones can.
  case bestUnreadable(reason: String, last: String)
  /// It is of another version of this package.
  case unreadable(path: String, reason: String)
  /// It was written by a newer program.
  case newer(path: String, version: Int, known: Int)
  /// It is of a run with another network or optimizer.
  case mismatch(path: String, reason: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .none(let path):
      "\(path) has no checkpoint; give the folder of a run that has saved one"
    case .damaged(let path, let reason):
      "the checkpoint \(path) is damaged: \(reason); use another one, or a copy of it"
    case .noneSound(let path, let tried):
      "none of the \(tried.count) checkpoint\(tried.count == 1 ? "" : "s") in \(path) can be used ("
        + tried.map(\.description).joined(separator: "; ")
        + "); restore one of them from a copy, or start the run again"
    case .bestUnreadable(let reason, let last):
      "\(reason); the run's last weights can be read: give \(last) instead"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .newer(let path, let version, let known):
      "the checkpoint \(path) is of version \(version), and this program reads versions up to"
        + " \(known); use the program that wrote it, or a newer one"
    case .mismatch(let path, let reason):
      "the checkpoint \(path) does not belong to this run: \(reason); resume with the run's own"
        + " configuration, or start a new run from its weights"
    }
  }
}

/// A checkpoint that is not as it was written.
public struct DamagedCheckpoint: Hashable, Sendable, CustomStringConvertible {
  /// The name of its folder.
  public let name: String
  /// What is wrong with it.
  public let reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }

  /// Both, as part of a line.
  public var description: String { "\(name): \(reason)" }
}
