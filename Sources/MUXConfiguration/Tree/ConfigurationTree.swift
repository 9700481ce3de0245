// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import Yams

/// Settings in layers, from files, the environment and the command line, and where each came from.
///
/// ```swift
/// var tree = try ConfigurationTree(contentsOf: "recipe.yaml")
/// tree.overlay(try ConfigurationTree(contentsOf: "mine.yaml"))
/// try tree.set("optimizer.learningRate", to: "0.1", source: .option("--set"))
/// let configuration = try tree.decode(TrainingConfiguration.self)
/// ```
package struct ConfigurationTree: Sendable {
  private var root: ConfigurationNode

  /// No settings at all.
  package init() {
    root = .mapping([:], .option("defaults"))
  }

  /// Reads a YAML or JSON file.
  package init(contentsOf path: String) throws(ConfigurationInputError) {
    let text: String
    do { text = try TextFile.read(path, limit: 1 << 22) } catch {
      let what =
        switch error.code {
        case ENOENT: "no such file"
        case EISDIR: "a folder, not a file"
        default: "cannot be read as text: \(error.cause)"
        }
      throw ConfigurationInputError(.file(path), "", .unreadable(what))
    }
    try self.init(yaml: text, source: .file(path))
  }

  /// Parses YAML or JSON text.
  package init(yaml text: String, source: ConfigurationSource) throws(ConfigurationInputError) {
    let node: Yams.Node?
    guard YAMLSize.holds(text, marks: 1 << 17) else {
      throw ConfigurationInputError(source, "", .unreadable("too many values"))
    }
    do { node = try Yams.compose(yaml: text) } catch {
      throw ConfigurationInputError(source, "", .unreadable(Self.message(error)))
    }
    var budget = 100_000
    root =
      try node.map { (node) throws(ConfigurationInputError) in
        try Self.convert(node, source: source, key: "", budget: &budget)
      } ?? .mapping([:], source)
    if root.isNull { root = .mapping([:], source) }
    guard case .mapping = root else {
      throw ConfigurationInputError(
        source, "", .value(expected: "settings of the form “key: value”", found: root.summary))
    }
  }

  /// Only the settings of the named groups (or single settings) at the top.
  package func keeping(_ keys: [String]) -> ConfigurationTree {
    var result = self
    if case .mapping(let members, let source) = root {
      result.root = .mapping(members.filter { keys.contains($0.key) }, source)
    }
    return result
  }

  /// Only the settings of other groups than those named at the top.
  package func removing(_ keys: [String]) -> ConfigurationTree {
    var result = self
    if case .mapping(let members, let source) = root {
      result.root = .mapping(members.filter { !keys.contains($0.key) }, source)
    }
    return result
  }

  /// The groups of settings in a group at the top, by their names in order; none where it is not there.
  ///
  /// - Throws: ``ConfigurationInputError`` where something else than groups is there.
  package func members(
    of key: String
  ) throws(ConfigurationInputError) -> [(name: String, settings: ConfigurationTree)] {
    guard case .mapping(let groups, _) = root, let group = groups[key], !group.isNull else {
      return []
    }
    guard case .mapping(let members, _) = group else {
      throw ConfigurationInputError(
        group.source, key,
        .value(expected: "names with the settings of each", found: group.summary))
    }
    var found: [(name: String, settings: ConfigurationTree)] = []
    for (name, node) in members.sorted(by: { $0.key < $1.key }) {
      var tree = ConfigurationTree()
      switch node {
      case .mapping: tree.root = node
      case _ where node.isNull: break
      default:
        throw ConfigurationInputError(
          node.source, "\(key).\(name)",
          .value(expected: "a group of settings", found: node.summary))
      }
      found.append((name, tree))
    }
    return found
  }

  /// Every setting by its dotted path with its value as text, in the order of the paths. A list is one
  /// value.
  package var flattened: [(path: String, text: String)] {
    root.leaves(path: "").map { (path: $0.path, text: $0.node.text) }
  }

  /// Lays other settings over these; where both have one, the other's counts.
  package mutating func overlay(_ upper: ConfigurationTree) {
    root = root.overlaid(with: upper.root)
  }

  /// Sets one setting by its dotted path; the value is YAML text, such as `0.1` or `[1, 2]`.
  package mutating func set(
    _ path: String, to text: String, source: ConfigurationSource
  ) throws(ConfigurationInputError) {
    let wrapped = try ConfigurationTree(yaml: "value: \(text)", source: source)
    guard case .mapping(let values, _) = wrapped.root, let value = values["value"],
      values.count == 1
    else {
      throw ConfigurationInputError(source, path, .value(expected: "a value", found: "“\(text)”"))
    }
    root = root.overlaid(with: try Self.branch(path, value, source))
  }

  /// Sets one setting by its dotted path to a text as it is, whatever it looks like.
  package mutating func set(
    _ path: String, toText text: String, source: ConfigurationSource
  ) throws(ConfigurationInputError) {
    root = root.overlaid(
      with: try Self.branch(path, .scalar(text, .given, source), source))
  }

  /// Makes the path of a file in a setting absolute where it is meant from one of some folders.
  ///
  /// A path that exists as it is, or nowhere, stays as it is.
  mutating func locateFile(_ path: String, from folders: [String]) throws(ConfigurationInputError) {
    var node = root
    for key in path.split(separator: ".") {
      guard case .mapping(let members, _) = node, let next = members[String(key)] else { return }
      node = next
    }
    guard case .scalar(let file, _, let source) = node, file.contains("/"),
      !file.hasPrefix("/"), !FileManager.default.fileExists(atPath: file)
    else { return }
    for folder in folders {
      // Absolute before it is standardized: a relative one would lose the dots that it begins with.
      let full = URL(fileURLWithPath: folder).absoluteURL.appendingPathComponent(file)
        .standardized.path
      guard FileManager.default.fileExists(atPath: full) else { continue }
      return try set(path, toText: full, source: source)
    }
  }

  /// Sets one setting from an assignment such as `optimizer.learningRate=0.1`.
  package mutating func set(
    assignment: String, source: ConfigurationSource
  ) throws(ConfigurationInputError) {
    guard let equals = assignment.firstIndex(of: "=") else {
      throw ConfigurationInputError(
        source, "", .value(expected: "KEY=VALUE", found: "“\(assignment)”"))
    }
    let (key, value) = (assignment[..<equals], assignment[assignment.index(after: equals)...])
    // What was to stand there is lost, as where a variable of a shell is empty. YAML would take it for
    // no value, and the default would silently count instead.
    guard value.contains(where: { !$0.isWhitespace }) else {
      throw ConfigurationInputError(
        source, String(key), .value(expected: "a value, or null for none,", found: "nothing"))
    }
    try set(String(key), to: String(value), source: source)
  }

  /// Sets what environment variables say.
  ///
  /// `MUXNET_OPTIMIZER__LEARNING_RATE` is `optimizer.learningRate`: two underscores part the levels
  /// and one parts the words. Variables in `reserved` mean something else and are passed over, and so are
  /// empty ones, which is how a variable is switched off.
  package mutating func set(
    environment: [String: String], prefix: String = "MUXNET_", reserved: Set<String> = []
  ) throws(ConfigurationInputError) {
    for (name, value) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(prefix) && !reserved.contains(name) && !value.isEmpty {
      let levels = name.dropFirst(prefix.count).split(separator: "__").map { level in
        level.split(separator: "_").enumerated()
          .map { $0 == 0 ? $1.lowercased() : $1.capitalized }.joined()
      }
      guard !levels.isEmpty else { continue }
      try set(levels.joined(separator: "."), to: value, source: .environment(name))
    }
  }

  /// Makes a value of the settings. Every key must be one that the type asks for.
  package func decode<Value: Decodable>(
    _ type: Value.Type
  ) throws(ConfigurationInputError) -> Value {
    let record = AskedKeys()
    let value: Value
    do {
      value = try TreeDecoder(root, path: [], record: record).unwrap(type)
    } catch let error as ConfigurationInputError {
      // A misspelt key explains a missing one better than the other way round.
      if case .missing = error.reason { try checkMisspelling(of: error.key, record) }
      throw error
    } catch {
      throw ConfigurationInputError(root.source, "", .unreadable(Self.message(error)))
    }
    try checkKeys(root, path: "", record)
    return value
  }

  private static func branch(
    _ path: String, _ value: ConfigurationNode, _ source: ConfigurationSource
  ) throws(ConfigurationInputError) -> ConfigurationNode {
    let keys = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard keys.allSatisfy({ !$0.isEmpty }) else {
      throw ConfigurationInputError(
        source, "",
        .value(expected: "a dotted path such as optimizer.momentum", found: "“\(path)”"))
    }
    return keys.reversed().reduce(value) { .mapping([$1: $0], source) }
  }

  private func checkKeys(
    _ node: ConfigurationNode, path: String, _ record: AskedKeys
  ) throws(ConfigurationInputError) {
    guard case .mapping(let members, _) = node, let asked = record.keys[path] else { return }
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      let full = path.isEmpty ? key : "\(path).\(key)"
      guard asked.contains(key) else {
        let nearest = Self.nearest(to: key, among: asked.sorted())
        throw ConfigurationInputError(
          value.source, full,
          .unknownKey(
            nearest: nearest.map { path.isEmpty ? $0 : "\(path).\($0)" }, known: asked.sorted()))
      }
      try checkKeys(value, path: full, record)
    }
  }

  /// Names a key beside a missing one that is nearly it. No others: what stopped at the missing key has
  /// not asked for all that it knows.
  private func checkMisspelling(
    of missing: String, _ record: AskedKeys
  ) throws(ConfigurationInputError) {
    let keys = missing.split(separator: ".").map(String.init)
    var group = root
    for key in keys.dropLast() {
      guard case .mapping(let members, _) = group, let next = members[key] else { return }
      group = next
    }
    guard let last = keys.last, case .mapping(let members, _) = group else { return }
    let asked = record.keys[keys.dropLast().joined(separator: ".")] ?? []
    let misspelt = members.filter {
      !asked.contains($0.key) && !NameDistance.nearest(to: $0.key, among: [last]).isEmpty
    }
    guard let (key, value) = misspelt.min(by: { $0.key < $1.key }) else { return }
    let path = keys.dropLast().map { "\($0)." }.joined()
    throw ConfigurationInputError(
      value.source, path + key, .unknownKey(nearest: [missing], known: asked.sorted()))
  }

  /// The key of the least distance, or the first that holds the misspelt one (`clip`, `clipNorm`).
  private static func nearest(to key: String, among known: [String]) -> [String] {
    let near = NameDistance.nearest(to: key, among: known, limit: 1)
    if !near.isEmpty { return near }
    return known.first { $0.lowercased().contains(key.lowercased()) }.map { [$0] } ?? []
  }

  /// The node budget stops a file of a few aliases from unfolding into billions of values.
  private static func convert(
    _ node: Yams.Node, source: ConfigurationSource, key: String, budget: inout Int
  ) throws(ConfigurationInputError) -> ConfigurationNode {
    budget -= 1
    guard budget > 0 else {
      throw ConfigurationInputError(source, "", .unreadable("too many values"))
    }
    switch node {
    case .scalar(let scalar):
      let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
      return .scalar(scalar.string, isQuoted ? .quoted : .plain, source)
    case .sequence(let sequence):
      var items: [ConfigurationNode] = []
      for item in sequence {
        items.append(try convert(item, source: source, key: key, budget: &budget))
      }
      return .list(items, source)
    case .mapping(let mapping):
      var members: [String: ConfigurationNode] = [:]
      for (name, value) in mapping {
        guard let name = name.scalar?.string else {
          throw ConfigurationInputError(
            source, key, .value(expected: "a text as key", found: "something else"))
        }
        let path = key.isEmpty ? name : "\(key).\(name)"
        members[name] = try convert(value, source: source, key: path, budget: &budget)
      }
      return .mapping(members, source)
    default:
      throw ConfigurationInputError(source, key, .unreadable("an alias that leads nowhere"))
    }
  }

  /// The first lines of a parser's message, on one line.
  private static func message(_ error: any Error) -> String {
    if let error = error as? YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        return "line \(mark.line), column \(mark.column): \(problem)"
      case .duplicatedKeysInMapping(let keys, let context):
        return "line \(context.mark.line): a key comes twice: "
          + keys.joined(separator: ", ")
      default: break
      }
    }
    return "\(error)".split(whereSeparator: \.isNewline).prefix(2).joined(separator: " ")
  }
}
