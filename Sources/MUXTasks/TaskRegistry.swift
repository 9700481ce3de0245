// SPDX-License-Identifier: Apache-2.0
import MUXCore
import Synchronization

/// The tasks that this program knows, by their names: the one list from which recipes, weights and
/// packed files pick theirs.
public enum TaskRegistry {
  /// The tasks of this package.
  public static let builtIn: [any VisionTask.Type] = [
    Classification.self, MultiLabel.self, Detection.self,
  ]

  private static let added = Mutex<[any VisionTask.Type]>([])

  /// Adds a task, or replaces the added one of the same name. What reads files and settings after
  /// that knows it.
  public static func register(_ task: any VisionTask.Type) {
    added.withLock { list in
      list.removeAll { $0.name == task.name }
      list.append(task)
    }
  }

  /// All tasks: those of this package, then the added ones.
  public static var all: [any VisionTask.Type] { builtIn + added.withLock { $0 } }

  /// The names of all tasks.
  public static var names: [String] { all.map { $0.name } }

  /// The task of a name; an added one comes before one of this package.
  ///
  /// - Throws: ``TaskError/unknown(name:nearest:known:)``.
  public static func task(named name: String) throws(TaskError) -> any VisionTask.Type {
    if let found = all.last(where: { $0.name == name }) { return found }
    throw .unknown(
      name: name, nearest: NameDistance.nearest(to: name, among: names).first, known: names)
  }
}
