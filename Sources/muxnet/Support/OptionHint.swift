// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXNetworks
import MUXReport

/// What errors of libraries leave open, since they do not know the command line: the option or the
/// command that does what they advise.
enum OptionHint {
  /// What is added to an error's line; empty if there is nothing to add.
  static func text(for error: any Error) -> String {
    switch error {
    case ReportError.exists: " with --overwrite"
    case RunFolderError.notWritable: " with --output"
    case NetworkError.unknownModel(_, let nearest) where nearest.isEmpty:
      "; 'muxnet models' lists them"
    case NetworkError.unknownLayer(_, _, let nearest) where nearest.isEmpty:
      "; 'muxnet describe --layers' lists them"
    default: ""
    }
  }
}
