// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXCore

/// Why a run's folder cannot be used.
public enum RunFolderError: Hashable, Sendable, DescribedError {
  /// The folder cannot be made or written; `code` is the system's error number.
  case notWritable(path: String, code: Int32)
  /// Something of that name exists that is not a run, so it is not replaced.
  case notARun(path: String)
  /// Another process is writing the run.
  case inUse(path: String)
  /// The folder has none of the files that training writes.
  case noRun(path: String)
  /// The run is still going on, so that what is asked for is not there yet.
  case stillTraining(path: String, epochs: Int)
  /// No epoch of the run is done.
  case noEpoch(path: String)
  /// There is no run to go on with.
  case nothingToResume(path: String)
  /// The run was ended before its first checkpoint.
  case endedEarly(path: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .notWritable(let path, let code):
      "cannot write the run folder \(path): \(String(cString: strerror(code)));"
        + (code == ENOSPC || code == EDQUOT ? " free space or" : "")
        + " choose another folder"
    case .inUse(let path):
      "another process is training in \(path); wait for it, stop it first, or choose another name"
    case .notARun(let path):
      "\(path) exists and is not a run of muxnet, so it is not replaced; choose another name"
    case .noRun(let path):
      "\(path) is not the folder of a run: it has none of the files that training writes; give a"
        + " run, such as runs/NAME, or a file of weights"
    case .stillTraining(let path, let epochs):
      "\(path) is still training (\(epochs) epoch\(epochs == 1 ? "" : "s") done); wait until it ends, or"
        + " stop it first"
    case .noEpoch(let path):
      "no epoch of \(path) is done, so there is nothing to show; let it train for at least one"
    case .nothingToResume(let path):
      "\(path) has no checkpoint to resume from; give the folder of a run, such as runs/NAME"
    case .endedEarly(let path):
      "\(path) ended before its first checkpoint, so there is nothing to resume from; start it again from its"
        + " settings, \(path)/configuration.yaml"
    }
  }
}
