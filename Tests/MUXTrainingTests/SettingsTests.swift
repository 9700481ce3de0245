// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXTasks
import MUXTraining
import Testing

/// What `muxnet settings` says of each setting, held against what files, values and checks do.
@Suite struct SettingsTests {
  private static let all = TrainingConfiguration().settingDescriptions()
  /// The single settings of the run; those of tasks are described for all tasks at once.
  private static let single = all.filter {
    !$0.isGroup && $0.key.split(separator: ".")[0] != "task"
  }

  /// The leaves of a value as it is written, by their dotted paths.
  private static func written(_ value: some Encodable) throws -> [String: String] {
    func leaves(_ value: Any, _ path: String) -> [(String, String)] {
      if let group = value as? [String: Any] {
        return group.flatMap { leaves($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
      }
      if let list = value as? [String] { return [(path, list.settingText)] }
      if let list = value as? [[String: Any]] {
        let scales = list.map {
          LearningRateScale($0["parameters"] as? String ?? "", $0["factor"] as? Double ?? .nan)
        }
        return [(path, scales.settingText)]
      }
      if let list = value as? [NSNumber] {
        return [(path, list.map(\.doubleValue).settingText)]
      }
      if let number = value as? NSNumber {
        let isFlag = String(cString: number.objCType) == "c"
        return [(path, isFlag ? "\(number.boolValue)" : number.doubleValue.settingText)]
      }
      return [(path, "\(value)")]
    }
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
    return Dictionary(uniqueKeysWithValues: leaves(json, ""))
  }

  /// A value that is not the default.
  private static func other(than setting: SettingDescription) -> String {
    let number = setting.defaultValue.flatMap(Double.init) ?? 0
    switch setting.type {
    case "whole number": return (number + 1).settingText
    case "number": return (number / 2 + 0.0625).settingText
    case "true or false": return setting.defaultValue == "true" ? "false" : "true"
    case "list of numbers": return "[0.25, 0.75]"
    case "one of":
      return setting.choices?.last { $0.name != setting.defaultValue }?.name ?? "none"
    case "list of texts": return "[other, another]"
    case "list of {parameters, factor}": return "[{parameters: other, factor: 0.5}]"
    case "none, auto, or weights by class": return "auto"
    default: return "other"
    }
  }

  @Test("Every setting that is written is described, and every described one is read and written")
  func complete() throws {
    var tree = ConfigurationTree()
    for setting in Self.single {
      try tree.set(setting.key, to: Self.other(than: setting), source: .option("test"))
    }
    let written = try Self.written(tree.decode(TrainingConfiguration.self))
    #expect(Set(written.keys).subtracting(["task"]) == Set(Self.single.map(\.key)))
    for setting in Self.single {
      #expect(written[setting.key] == Self.other(than: setting), "\(setting.key)")
    }
  }

  @Test("No property is left out of the tables, whether it has a value or not")
  func properties() {
    func check<Group: SettingGroup>(_ group: Group) {
      let children = Mirror(reflecting: group).children
      #expect(children.count == Group.settings.count, "\(Group.self)")
      #expect(Set(Group.settings.map(\.key)).count == Group.settings.count, "\(Group.self)")
      for child in children {
        if let inner = child.value as? any SettingGroup { check(inner) }
      }
    }
    check(TrainingConfiguration())
    for task in TaskRegistry.builtIn {
      guard let group = task as? any SettingGroup.Type else {
        #expect(Mirror(reflecting: task.init()).children.isEmpty, "\(task.name) has no table")
        continue
      }
      check(group.init())
    }
  }

  @Test("The default that is told is the one that a run without settings has")
  func defaults() throws {
    let written = try Self.written(TrainingConfiguration())
    for setting in Self.single {
      // JSON's reader has no whole numbers of 64 bits; the default seed is 0.
      #expect(setting.defaultValue == written[setting.key], "\(setting.key)")
      #expect((setting.defaultValue == nil) == (written[setting.key] == nil), "\(setting.key)")
      if setting.defaultValue == nil { #expect(setting.absence != nil, "\(setting.key)") }
      #expect(!setting.meaning.isEmpty && setting.meaning.last != ".", "\(setting.key)")
    }
    #expect(Self.all.first { $0.key == "task" }?.defaultValue == TrainingConfiguration().task.name)
  }

  /// Values at the ends of a range as it is told, and values beyond.
  private static func ends(_ allowed: String) -> (inside: [Double], outside: [Double])? {
    let numbers = allowed.split { " …≥>≤<,".contains($0) }.compactMap { Double($0) }
    guard numbers.count == 2, allowed.first.map({ "0123456789≥>-".contains($0) }) == true else {
      return nil
    }
    let (low, high) = (numbers[0], numbers[1])
    let beyond = high + max(1, high)
    if allowed.contains("…") { return ([low, high], [low - 1, beyond]) }
    let isLowIn = allowed.hasPrefix("≥")
    let isHighIn = allowed.contains("≤")
    return (
      (isLowIn ? [low] : []) + (isHighIn ? [high] : []),
      [low - 1, beyond] + (isLowIn ? [] : [low]) + (isHighIn ? [] : [high])
    )
  }

  @Test(
    "The range that is told is the one that is checked: its ends are taken, what is beyond is not")
  func ranges() throws {
    var checked = 0
    for setting in Self.single {
      guard let ends = setting.allowed.flatMap(Self.ends) else { continue }
      checked += 1
      for (value, isInside) in ends.inside.map({ ($0, true) }) + ends.outside.map({ ($0, false) }) {
        var tree = ConfigurationTree()
        try tree.set("data.path", to: "images", source: .option("test"))
        let text =
          setting.type == "whole number" ? "\(Int64(value))" : value.settingText
        try tree.set(setting.key, to: text, source: .option("test"))
        let configuration = try tree.decode(TrainingConfiguration.self)
        var refused: String?
        do throws(ConfigurationError) { try configuration.validate() } catch {
          refused = error.setting
        }
        // The end of one may be too much together with another setting.
        let isKnown =
          isInside
          && ["schedule.warmUp.epochs", "model.freezeEpochs", "data.fold"].contains(setting.key)
        #expect(
          (refused == setting.key) == !isInside || isKnown,
          "\(setting.key) = \(text), allowed \(setting.allowed ?? ""): \(refused ?? "taken")")
      }
    }
    #expect(checked > 40)
  }
}
