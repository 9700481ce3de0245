// SPDX-License-Identifier: Apache-2.0
package import MUXImages

extension Target {
  /// The one class of a target.
  ///
  /// - Throws: ``TaskError/otherTargets(task:expected:found:name:)`` where it is of another kind.
  package func label(task: String, name: String) throws(TaskError) -> Int {
    guard case .label(let label) = self else {
      throw .otherTargets(
        task: task, expected: "one class per image", found: kind.description, name: name)
    }
    return label
  }

  /// The classes of a target; one class is as good as a set of one.
  ///
  /// - Throws: ``TaskError/otherTargets(task:expected:found:name:)`` where it is of another kind.
  package func labels(task: String, name: String) throws(TaskError) -> Set<Int> {
    switch self {
    case .label(let label): return [label]
    case .labels(let labels): return labels
    case .boxes:
      throw .otherTargets(
        task: task, expected: "any number of classes per image", found: kind.description,
        name: name)
    }
  }

  /// The boxes of a target.
  ///
  /// - Throws: ``TaskError/otherTargets(task:expected:found:name:)`` where it is of another kind.
  package func boxes(task: String, name: String) throws(TaskError) -> [LabeledBox] {
    guard case .boxes(let boxes) = self else {
      throw .otherTargets(
        task: task, expected: "boxes", found: kind.description, name: name)
    }
    return boxes
  }
}
