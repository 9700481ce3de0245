// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a table, a figure or a drawing cannot be had.
public enum ReportError: Sendable, Hashable, DescribedError {
  /// The paper has no such table or figure that this package reproduces.
  case unknownExhibit(name: String, nearest: [String])
  /// Tables have no picture.
  case noPicture(exhibit: String)
  /// A file under `results/` is not as it should be.
  case results(path: String, line: Int, reason: String)
  /// A file or folder is in the way.
  case exists(path: String)
  /// The system refused to make a folder or to write a file.
  case unwritable(path: String, reason: String)

  /// What went wrong, in one line.
  public var description: String {
    switch self {
    case .unknownExhibit(let name, let nearest):
      "there is no table or figure '\(name)'; "
        + (nearest.isEmpty
          ? "there are \(ExhibitName.allCases.map(\.rawValue).joined(separator: ", "))"
          : "did you mean \(nearest.joined(separator: " or "))?")
    case .noPicture(let exhibit):
      "\(exhibit) is a table without a picture; take the format markdown, csv or json"
    case .results(let path, let line, let reason): "\(path), line \(line): \(reason)"
    case .exists(let path):
      "\(path) exists; choose another place, or overwrite it"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    }
  }
}
