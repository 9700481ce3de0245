// SPDX-License-Identifier: Apache-2.0
package import MUXImages

extension ImageDataSet {
  /// Makes sure that every target is of classes that there are: a single one of another class would end a
  /// training in its middle.
  ///
  /// - Throws: ``TaskError/classOutside(index:classes:name:)`` for the first that is not.
  package func checkClasses() throws(TaskError) {
    let known = classNames.indices
    for index in 0..<count {
      guard let wrong = target(at: index).classes.first(where: { !known.contains($0) }) else {
        continue
      }
      throw .classOutside(index: wrong, classes: known.count, name: name(at: index))
    }
  }
}
