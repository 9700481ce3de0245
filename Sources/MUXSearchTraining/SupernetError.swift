// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Why a super-network cannot be used.
package enum SupernetError: Error, Sendable, Hashable {
  /// A run of another kind, or no run.
  case notASupernet(path: String)
  /// A run that is not at its end.
  case unfinished(path: String, isRunning: Bool)
  /// A file without a tensor that the space needs.
  case missing(path: String, tensor: String)
  /// A file with a tensor of another shape.
  case misshapen(path: String, tensor: String, shape: [Int], expected: [Int])
  /// A file that is another one than when it was opened, or when the study was made.
  case changed(path: String)
  /// A study of another space.
  case otherSpace(path: String, own: String, wanted: String)
}

extension SupernetError: DescribedError {
  /// One line: what, where, how to fix.
  package var description: String {
    switch self {
    case .notASupernet(let path):
      "\(path.printable) is not a super-network's run; train one first"
    case .unfinished(let path, true):
      "the super-network in \(path.printable) is still training; wait until it ends"
    case .unfinished(let path, false):
      "the training of the super-network in \(path.printable) was interrupted; resume it first"
    case .missing(let path, let tensor):
      "the super-network in \(path.printable) lacks '\(tensor.printable)': it is incomplete, or belongs to another"
        + " space; train it again"
    case .misshapen(let path, let tensor, let shape, let expected):
      "the super-network in \(path.printable) has '\(tensor.printable)' of shape \(shape), not \(expected):"
        + " it belongs to another space"
    case .changed(let path):
      "the super-network in \(path.printable) has changed since it was opened, so that results would not"
        + " be comparable; create a new study with it"
    case .otherSpace(let path, let own, let wanted):
      "the super-network in \(path.printable) belongs to the space '\(own.printable)'; its choices are not those"
        + " of '\(wanted.printable)'"
    }
  }
}
