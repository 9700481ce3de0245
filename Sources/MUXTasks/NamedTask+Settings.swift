// SPDX-License-Identifier: Apache-2.0
package import MUXCore

extension NamedTask {
  /// The task's name as a setting, and the settings of all tasks that have a table of them.
  package func settingDescriptions(path: String) -> [SettingDescription] {
    let tasks = TaskRegistry.all
    return [
      SettingDescription(
        key: path,
        meaning: "What the network learns: a task's name, or its name with settings,"
          + " {name: multiLabel, threshold: 0.3}",
        type: "task", defaultValue: name, allowed: tasks.map { $0.name }.joined(separator: ", "))
    ]
      + tasks.flatMap { task -> [SettingDescription] in
        guard let group = task as? any SettingGroup.Type else { return [] }
        return [
          SettingDescription(
            key: "\(path)(\(task.name))", meaning: "Settings of the task \(task.name)",
            type: SettingDescription.group)
        ] + Self.descriptions(group, path: path)
      }
  }

  private static func descriptions(
    _ group: any SettingGroup.Type, path: String
  ) -> [SettingDescription] {
    group.init().settingDescriptions(path: path)
  }
}
