// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a task cannot be what is wanted of it.
public enum TaskError: Sendable, Hashable, DescribedError {
  /// The registry has no task of that name; `nearest` is one that may have been meant.
  case unknown(name: String, nearest: String?, known: [String])
  /// The network has another number of outputs than the task needs for its classes.
  case outputCount(task: String, network: String, outputs: Int, classes: Int, expected: Int)
  /// The task needs one output tensor, and the network has several.
  case severalOutputs(task: String, network: String, count: Int)
  /// The outputs of the network are not those of a detector for the classes.
  case detectorOutputs(network: String, reason: String)
  /// The targets are of another kind than the task learns.
  case otherTargets(task: String, expected: String, found: String, name: String)
  /// The data has too few classes for the task.
  case tooFewClasses(task: String, names: [String], example: String?)
  /// A target names a class that is not there.
  case classOutside(index: Int, classes: Int, name: String)
  /// A metric was named for ranking that the task does not have.
  case unknownMetric(task: String, name: String, known: [String])
  /// The task has no format of that name for its predictions.
  case unknownFormat(name: String, known: [String])
  /// The task has no mean over several views of an image.
  case notAveraged
  /// The task cannot be trained by this program.
  case notTrainable(task: String)

  /// One line: what, where, how to fix it.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest, let known):
      "there is no task '\(name)'" + (nearest.map { "; did you mean \($0)?" } ?? ";")
        + " tasks are " + known.joined(separator: ", ")
    case .outputCount(let task, let network, let outputs, let classes, let expected):
      "the network '\(network)' has \(outputs) outputs, but the task \(task) needs \(expected) for"
        + " \(classes) class\(classes == 1 ? "" : "es"); give the data or the list of classes that"
        + " the network was made for, or make it for these (model.classes, which may be left out)"
    case .severalOutputs(let task, let network, let count):
      "the network '\(network)' has \(count) outputs (a detector), but the task \(task) needs one;"
        + " give another network, or another task"
    case .detectorOutputs(let network, let reason):
      "the outputs of the network '\(network)' are not those of a detector for these classes: \(reason)"
    case .otherTargets(let task, let expected, let found, let name):
      "\(name) has \(found), but the task \(task) needs \(expected); change the task or the data"
        + " to fit"
    case .tooFewClasses(let task, let names, let example):
      "the data\(example.map { " (such as \($0))" } ?? "") has \(names.isEmpty ? "no class" : "one class only (\(names.joined()))"), so there"
        + " is nothing to tell apart; the task \(task) needs at least two: give each class a folder"
        + " of its own"
    case .classOutside(let index, let classes, let name):
      "\(name) is of class \(index), but there are \(classes) classes; the data is damaged, or the"
        + " list of classes is another"
    case .unknownMetric(let task, let name, let known):
      "the task \(task) has no metric '\(name)'; it has \(known.joined(separator: ", "))"
    case .unknownFormat(let name, let known):
      "the task of these weights has no format '\(name)' for its predictions; it has "
        + known.joined(separator: ", ")
    case .notAveraged:
      "the predictions of this task for several views of an image cannot be averaged; leave the augmentation"
        + " out"
    case .notTrainable(let task):
      "the task \(task) cannot be trained by this program, which has no objective for it"
    }
  }
}
