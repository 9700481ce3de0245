// SPDX-License-Identifier: Apache-2.0

/// A task as files have it (``NamedTask``), also one that this program does not know: then its name is all
/// that is known of it.
package struct TaskMention: Sendable, Hashable, Codable {
  package let name: String
  /// The task with its settings; nil for one that this program does not know.
  package let task: NamedTask?

  private enum CodingKeys: String, CodingKey { case name }

  /// A task with its settings.
  package init(_ task: NamedTask) {
    name = task.name
    self.task = task
  }

  /// Reads a name, or a name with settings.
  ///
  /// - Throws: `DecodingError` also where the settings of a task that is known cannot be read.
  package init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      name = text
    } else {
      name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
    }
    task = TaskRegistry.names.contains(name) ? try NamedTask(from: decoder) : nil
  }

  /// Writes what is known.
  package func encode(to encoder: any Encoder) throws {
    if let task { return try task.encode(to: encoder) }
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
