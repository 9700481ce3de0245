// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What can be wrong with a storage, a study or a trial.
public enum StudyError: Error, Sendable, Hashable {
  /// The address is not a storage URL.
  case invalidStorage(url: String, reason: String)
  /// A storage that does not answer, or not for long; trying again may help.
  case unreachable(url: String, reason: String)
  /// A file or database without studies of ours.
  case noStorage(url: String, reason: String)
  /// A storage made by a newer program.
  case schemaTooNew(url: String, found: Int, known: Int)
  /// A storage of an older program, opened for reading only.
  case schemaTooOld(url: String, found: Int, known: Int)
  /// A file that is not a database, or a damaged one.
  case corrupt(url: String, reason: String)
  /// No room to write; trying again may help.
  case full(url: String, reason: String)
  /// Anything else that a database says.
  case database(url: String, reason: String)
  /// What was to be changed is not in the storage.
  case missing(url: String, what: String)
  /// A study that does not exist.
  case unknownStudy(name: String, nearest: [String], count: Int)
  /// No study was named, and there is not exactly one.
  case unnamedStudy(names: [String])
  /// A second study of the same name.
  case studyExists(name: String)
  /// A name that cannot be one.
  case invalidName(name: String, reason: String)
  /// What the storage has of a study cannot be read.
  case damagedStudy(name: String, reason: String)
  /// What the storage has of a trial does not fit its study.
  case damagedTrial(study: String, number: Int, reason: String)
  /// A space of which no network can be asked for.
  case emptySpace(reason: String)
  /// A target that no network of the space meets.
  case unreachableTarget(line: String)
  /// A trial that does not exist.
  case unknownTrial(study: String, number: Int, count: Int)
  /// A trial in a state in which this cannot be done.
  case wrongState(study: String, number: Int, state: TrialState, expected: String)
  /// The trial was given to another worker in the meantime.
  case leaseLost(study: String, number: Int)
  /// Another process drives the study.
  case masterActive(study: String, host: String, process: Int32, seconds: Double)
  /// Workers of another version of the program are on the study.
  case otherVersion(study: String, theirs: String, ours: String)
  /// The study's evaluation never works.
  case alwaysFails(study: String, count: Int, reason: String)
  /// An evaluation that gives no usable result.
  case evaluation(reason: String)
}

extension StudyError: DescribedError {
  /// Whether the same may work in a while.
  public var isTransient: Bool {
    switch self {
    case .unreachable, .full: true
    default: false
    }
  }

  /// Whether a study is not as it was kept; other studies of the storage may be well.
  public var isDamage: Bool {
    switch self {
    case .damagedStudy, .damagedTrial: true
    default: false
    }
  }

  /// Whether workers of another version are on a study.
  var isOtherVersion: Bool {
    if case .otherVersion = self { true } else { false }
  }

  private static let mending = "restore a copy of the storage, or delete the study"

  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .invalidStorage(let url, let reason): "storage '\(url)': \(reason)"
    case .unreachable(let url, let reason): "cannot reach the storage \(url): \(reason)"
    case .noStorage(let url, let reason): "no studies in \(url): \(reason)"
    case .schemaTooNew(let url, let found, let known):
      "the storage \(url) has version \(found), but this muxnet knows versions up to \(known); update muxnet or"
        + " use another storage"
    case .schemaTooOld(let url, let found, let known):
      "the storage \(url) has version \(found), but this muxnet needs \(known); opening it"
        + " for writing brings it up to date"
    case .corrupt(let url, let reason):
      "the storage \(url) is damaged or no database (\(reason)); restore a copy, or move it away and"
        + " begin anew"
    case .full(let url, let reason):
      "cannot write to the storage \(url): \(reason); free some space, then try again"
    case .database(let url, let reason): "storage \(url): \(reason)"
    case .missing(let url, let what):
      "storage \(url): \(what) is not there; it may have been deleted meanwhile"
    case .unknownStudy(let name, let nearest, let count):
      "there is no study '\(name)'"
        + (nearest.isEmpty
          ? (count == 0
            ? "; the storage has none" : "; the storage has \(count) other\(count == 1 ? "" : "s")")
          : "; did you mean \(nearest.map { "'\($0)'" }.joined(separator: ", "))?")
    case .unnamedStudy(let names):
      names.isEmpty
        ? "the storage has no studies; create one"
        : "name one of the studies: \(names.prefix(8).joined(separator: ", "))"
          + (names.count > 8 ? ", …" : "")
    case .studyExists(let name):
      "there is already a study '\(name)'; continue it, delete it, or take another name"
    case .invalidName(let name, let reason): "'\(name)' cannot be a name: \(reason)"
    case .damagedStudy(let name, let reason):
      "study '\(name)' is damaged: \(reason); \(Self.mending)"
    case .damagedTrial(let study, let number, let reason):
      "study '\(study)', trial \(number) is damaged: \(reason); "
        + Self.mending
    case .emptySpace(let reason): "the search space is empty: \(reason)"
    case .unreachableTarget(let line): line
    case .unknownTrial(let study, let number, let count):
      count == 0
        ? "study '\(study)' has no trials yet"
        : "study '\(study)' has no trial \(number); it has 0 to \(count - 1)"
    case .wrongState(let study, let number, let state, let expected):
      "trial \(number) of study '\(study)' is \(state.rawValue), not \(expected)"
    case .leaseLost(let study, let number):
      "trial \(number) of study '\(study)' was given to another worker"
    case .masterActive(let study, let host, let process, let seconds):
      "study '\(study)' is already run by process \(process) on \(host) (last sign of life"
        + " \(Int(seconds.rounded())) s ago); add workers"
    case .otherVersion(let study, let theirs, let ours):
      "study '\(study)' is being worked on by muxnet \(theirs), but this is \(ours): start workers of the same"
        + " version, or of this one once those have ended"
    case .alwaysFails(let study, let count, let reason):
      "all of the first \(count) trials of study '\(study)' failed, the last one with: \(reason);"
        + " fix that, then retry the failed trials"
    case .evaluation(let reason): reason
    }
  }
}
