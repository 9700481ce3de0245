// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXEvaluation
import MUXNetworks
import MUXReport
import MUXRuntime
import MUXStudies

/// What errors of libraries leave open, since they do not know the command line: the option or the
/// command that does what they advise.
enum OptionHint {
  /// How a negative number is given, where one may have been taken for an option: the parser says then that
  /// the value is missing.
  static func negativeNumber(_ words: [String], _ code: ExitCode) -> String {
    guard code == .validationFailure,
      let place = words.indices.dropFirst(2).first(where: {
        words[$0].wholeMatch(of: /-[0-9.][0-9.eE+\-]*/) != nil && words[$0 - 1].hasPrefix("--")
          && !words[$0 - 1].contains("=")
      })
    else { return "" }
    return " (a negative number is written \(words[place - 1])=\(words[place]))"
  }

  /// What is added to an error's line; empty if there is nothing to add.
  static func text(for error: any Error) -> String {
    switch error {
    case ReportError.exists: " with --overwrite"
    case RunFolderError.notWritable: " with --output"
    case RunFolderError.endedEarly(let path):
      " ('muxnet train --config \(ShellWord.quoted("\(path)/configuration.yaml"))')"
    case NetworkError.unknownModel(_, let nearest) where nearest.isEmpty:
      "; 'muxnet models' lists them"
    case NetworkError.unknownLayer(_, _, let nearest) where nearest.isEmpty:
      "; 'muxnet describe --layers' lists them"
    case RuntimeError.precision(_, _, "float32"): " with 'muxnet convert --to runtime'"
    case RuntimeError.precision(_, _, let asked): " with 'muxnet quantize --precision \(asked)'"
    case RuntimeError.modelFile(_, let reason): advice[reason] ?? ""
    case EvaluationError.packed:
      " ('muxnet convert' makes network files, .yaml or .json, of a packed file, and nothing else)"
    case EvaluationError.notFinite: " with 'muxnet forward'"
    case EvaluationError.uncalibrated: " with 'muxnet quantize'"
    case CheckpointError.unreadable(_, let reason): advice[reason] ?? ""
    case CheckpointError.mismatch: " with --initial-weights"
    case PretrainedError.notFetched(let name, _): " with 'muxnet weights fetch \(name)'"
    case PretrainedError.byHand, PretrainedError.unreachable, PretrainedError.noFile:
      " with --from FILE"
    case PretrainedError.unknown(_, let nearest) where nearest.isEmpty,
      PretrainedError.neither(_, let nearest) where nearest.isEmpty:
      "; 'muxnet weights list' shows what there is"
    case let error as StudyError: text(for: error)
    default: ""
    }
  }

  /// Hints for reasons that are texts.
  private static let advice = [
    "it is not a packed model; convert the weights to one": " with 'muxnet convert --to runtime'",
    "it holds weights but no network; convert the weights to a file with both":
      " with 'muxnet convert'",
    "it does not say which network it is for; name the network": " with --model",
    "it holds another network; leave the network out": ": no --model",
  ]

  private static func text(for error: StudyError) -> String {
    func command(_ name: String, _ study: String) -> String {
      "'muxnet search \(name) \(ShellWord.quoted(study))'"
    }
    return switch error {
    case .noStorage(_, let reason) where reason.contains("creating a study"):
      " ('muxnet search create')"
    case .schemaTooOld: ", as 'muxnet search worker' does"
    case .unknownStudy(_, let nearest, let count) where nearest.isEmpty && count > 0:
      "; 'muxnet search list' shows them"
    case .unnamedStudy(let names) where names.isEmpty: " with 'muxnet search create'"
    case .studyExists(let name): "; \(command("run", name)) goes on with it"
    case .damagedStudy(let name, _): " with \(command("delete", name))"
    case .damagedTrial(let study, _, _): " with \(command("delete", study))"
    case .masterActive(let study, _, _, _): " with \(command("worker", study))"
    case .alwaysFails(let study, _, _): " with \(command("retry", study))"
    default: ""
    }
  }
}
