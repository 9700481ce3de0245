// SPDX-License-Identifier: Apache-2.0

/// A task as files have it: its name alone, `multiLabel`, or its name beside its settings,
/// `{"name": "multiLabel", "threshold": 0.3}`. The type is found in ``TaskRegistry``.
public struct NamedTask: Sendable, Codable {
  /// The task.
  public var task: any VisionTask

  /// Wraps a task; by default files without one mean classification.
  public init(_ task: any VisionTask = Classification()) {
    self.task = task
  }

  /// The task's name.
  public var name: String { type(of: task).name }

  /// Whether some setting does not have its default.
  package var hasSettings: Bool {
    func isDefault(_ task: some VisionTask) -> Bool { task == .init() }
    return !isDefault(task)
  }

  private enum CodingKeys: String, CodingKey { case name }

  /// Reads a name, or a name with settings.
  public init(from decoder: any Decoder) throws {
    do {
      if let name = try? decoder.singleValueContainer().decode(String.self) {
        task = try TaskRegistry.task(named: name).init()
      } else {
        let name = try decoder.container(keyedBy: CodingKeys.self).decode(
          String.self, forKey: .name)
        task = try TaskRegistry.task(named: name).init(from: decoder)
      }
    } catch let error as TaskError {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: error.description))
    }
  }

  /// Writes the name alone where all settings have their defaults.
  public func encode(to encoder: any Encoder) throws {
    if !hasSettings {
      var container = encoder.singleValueContainer()
      try container.encode(name)
    } else {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try task.encode(to: encoder)
    }
  }
}

extension NamedTask: Hashable {
  /// Tasks of one type with equal settings.
  public static func == (left: NamedTask, right: NamedTask) -> Bool {
    func isEqual<Task: VisionTask>(_ task: Task) -> Bool { task == right.task as? Task }
    return isEqual(left.task)
  }

  /// Hashes the task.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(task)
  }
}
