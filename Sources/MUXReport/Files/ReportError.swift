// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a file or a folder cannot be written.
public enum ReportError: Sendable, Hashable, DescribedError {
  /// A file or folder is in the way.
  case exists(path: String)
  /// The system refused to make a folder or to write a file.
  case unwritable(path: String, reason: String)

  /// What went wrong, in one line.
  public var description: String {
    switch self {
    case .exists(let path):
      "\(path) exists; choose another place, or overwrite it"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    }
  }
}
