// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Why a checkpoint cannot be used.
public enum CheckpointError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  /// There is none in the folder.
  case none(path: String)
  /// A file of it is missing, or not as it was written.
  case damaged(path: String, reason: String)
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
      "the checkpoint \(path) is damaged: \(reason); remove its folder to use the one before it"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .newer(let path, let version, let known):
      "the checkpoint \(path) is of version \(version), and this program reads versions up to"
        + " \(known); go on with the program that wrote it, or with a newer one"
    case .mismatch(let path, let reason):
      "the checkpoint \(path) is not of this run: \(reason); resume with the run's own"
        + " configuration, or start a new run from its weights"
    }
  }

  /// The same line.
  public var errorDescription: String? { description }
}
