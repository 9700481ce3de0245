// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Why a table or a figure cannot be had.
package enum ReproductionError: Sendable, Hashable, DescribedError {
  /// The paper has no such table or figure that this package reproduces.
  case unknownExhibit(name: String, nearest: [String])
  /// Tables have no picture.
  case noPicture(exhibit: String)
  /// A file under `results/` is not as it should be.
  case results(path: String, line: Int, reason: String)

  /// What went wrong, in one line.
  package var description: String {
    switch self {
    case .unknownExhibit(let name, let nearest):
      "there is no table or figure '\(name)'; "
        + (nearest.isEmpty
          ? "there are \(ExhibitName.allCases.map(\.rawValue).joined(separator: ", "))"
          : "did you mean \(nearest.joined(separator: " or "))?")
    case .noPicture(let exhibit):
      "\(exhibit) is a table without a picture; take the format markdown, csv or json"
    case .results(let path, let line, let reason): "\(path), line \(line): \(reason)"
    }
  }
}
