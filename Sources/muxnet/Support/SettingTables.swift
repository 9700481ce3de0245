// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Settings in tables, for people.
enum SettingTables {
  /// The setting of a path, or all of the group of that path.
  static func settings(
    named key: String, among all: [SettingDescription]
  ) throws(CommandError) -> [SettingDescription] {
    let found = all.filter {
      $0.key == key || $0.key.hasPrefix("\(key).") || $0.key.hasPrefix("\(key)(")
    }
    guard found.isEmpty else { return found }
    let keys = all.filter { !$0.key.contains("(") }.map(\.key)
    let short = key.utf8.count > 100 ? "" : key.lowercased()
    let parts = short.isEmpty ? [] : keys.filter { $0.lowercased().contains(short) }
    var nearest = Array(parts.prefix(5))
    if nearest.isEmpty, !short.isEmpty {
      nearest = NameDistance.nearest(to: key, among: keys)
      // learningRat is nearer to the last part of optimizer.learningRate than to the whole.
      let last = keys.map { String($0.split(separator: ".").last ?? "") }
      for name in NameDistance.nearest(to: key, among: Set(last).sorted()) {
        nearest += keys.filter { $0 == name || $0.hasSuffix(".\(name)") }
      }
    }
    nearest = nearest.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    let groups = all.filter { $0.isGroup && !$0.key.contains("(") }.map(\.key)
    throw CommandError(
      "unknown setting “\(key.printable)”"
        + (nearest.isEmpty
          ? "; there are the groups \(groups.joined(separator: ", ")); 'muxnet settings' lists all"
          : "; did you mean \(nearest.prefix(5).joined(separator: ", "))?"))
  }

  /// All settings, one a line, group by group.
  static func overview(_ settings: [SettingDescription]) -> String {
    sections(settings).map { title, rows in
      var table = TextTable([
        ("SETTING", .left), ("DEFAULT", .left), ("ALLOWED", .left), ("MEANING", .left),
      ])
      for setting in rows {
        table.append([setting.key, usual(setting), allowed(setting), setting.meaning])
      }
      return title + "\n" + table.text
    }.joined(separator: "\n\n")
  }

  /// Each setting on lines of its own, with what its words mean and how to set it.
  static func details(_ settings: [SettingDescription]) -> String {
    var group = ""
    return settings.map { setting in
      guard !setting.isGroup else {
        group = setting.key
        return "\(setting.key): \(setting.meaning)"
      }
      var lines = [setting.key, "  \(setting.meaning)"]
      lines.append("  default  \(usual(setting))")
      if let choices = setting.choices {
        let width = choices.map(\.name.count).max() ?? 0
        for (index, choice) in choices.enumerated() {
          let name = choice.name + String(repeating: " ", count: width - choice.name.count)
          lines.append("  \(index == 0 ? "one of " : "       ")  \(name)  \(choice.meaning)")
        }
      } else {
        lines.append("  allowed  \(allowed(setting))")
      }
      let value = setting.defaultValue ?? setting.choices?.first?.name ?? "VALUE"
      lines.append("  as in    --set \(assignment(setting.key, value, in: group))")
      return lines.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// Tables in Markdown, one a group.
  static func markdown(_ settings: [SettingDescription]) -> String {
    sections(settings).map { title, rows in
      var lines = [
        "### \(title)", "", "| setting | default | allowed | meaning |",
        "| --- | --- | --- | --- |",
      ]
      for setting in rows {
        var meaning = setting.meaning
        if let choices = setting.choices {
          meaning +=
            ": " + choices.map { "`\($0.name)` \($0.meaning)" }.joined(separator: "; ")
        }
        let value = setting.defaultValue.map { "`\($0)`" } ?? usual(setting)
        let cells = [
          "`\(setting.key)`", value, setting.choices == nil ? allowed(setting) : "these words",
          meaning,
        ]
        lines.append(
          "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |")
      }
      return lines.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static func sections(
    _ settings: [SettingDescription]
  ) -> [(title: String, rows: [SettingDescription])] {
    var sections: [(title: String, rows: [SettingDescription])] = []
    for setting in settings {
      if setting.isGroup {
        sections.append(("\(setting.key): \(setting.meaning)", []))
      } else {
        if sections.isEmpty { sections.append(("The run", [])) }
        sections[sections.count - 1].rows.append(setting)
      }
    }
    return sections
  }

  private static func usual(_ setting: SettingDescription) -> String {
    if let value = setting.defaultValue { return value }
    return "(\(setting.absence ?? "none"))"
  }

  private static func allowed(_ setting: SettingDescription) -> String {
    if let choices = setting.choices { return choices.map(\.name).joined(separator: ", ") }
    let unit = setting.unit.map { " \($0)" } ?? ""
    return (setting.allowed ?? setting.type) + unit
  }

  /// How a setting is given. Those of a task, whose group is `task(NAME)`, need its name beside them.
  private static func assignment(_ key: String, _ value: String, in group: String) -> String {
    let name = group.hasPrefix("task(") ? String(group.dropFirst(5).dropLast()) : nil
    let last = key.split(separator: ".").last.map(String.init) ?? key
    let text =
      name.map { "task={name: \($0), \(last): \(value)}" } ?? "\(key)=\(value)"
    return text.contains { " ,[]{}".contains($0) } ? "'\(text)'" : text
  }
}
