// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXCore
public import MUXNetworks
import Yams

/// Finds the network that a user means: a zoo name, a block-string file, or a network file.
public enum NetworkFile {
  /// Resolves `model`: a file if one exists at that path or the name ends in `.json`, `.yaml` or
  /// `.yml`, else a name of the zoo.
  ///
  /// A network file is already built: of the options only classes can still change it.
  /// - Throws: `NetworkError`.
  public static func resolve(
    _ model: String, options: ModelOptions = ModelOptions()
  ) throws(NetworkError) -> Network {
    guard isFile(model) else {
      return try ModelZoo.network(named: model, options: options)
    }
    switch try read(URL(filePath: model)) {
    case .architecture(let architecture): return try architecture.applying(options).network()
    case .network(let network):
      guard
        options.widthMultiplier == nil, options.outputStride == nil,
        options.inputChannels == nil || options.inputChannels == network.inputChannels
      else {
        throw .file(
          path: model,
          reason: "a network file is already built; width, output stride and input channels need"
            + " a block-string file or a zoo name")
      }
      return try network.applying(options)
    }
  }

  /// The block strings behind a name of the zoo or in a block-string file.
  /// - Throws: `NetworkError`, also where the file holds a built network.
  public static func architecture(_ model: String) throws(NetworkError) -> Architecture {
    guard isFile(model) else { return try ModelZoo.architecture(named: model) }
    switch try read(URL(filePath: model)) {
    case .architecture(let architecture): return architecture
    case .network:
      throw .file(
        path: model, reason: "a built network has no block strings; give a zoo name or such a file")
    }
  }

  private static func isFile(_ model: String) -> Bool {
    model.contains("/") || [".json", ".yaml", ".yml"].contains { model.lowercased().hasSuffix($0) }
  }

  /// What a file holds.
  public enum Contents: Sendable {
    /// Block strings.
    case architecture(Architecture)
    /// Nodes and edges, ready for weights.
    case network(Network)
  }

  /// Reads a YAML or JSON file (JSON is YAML, so one reader serves both).
  public static func read(_ url: URL) throws(NetworkError) -> Contents {
    let path = url.path(percentEncoded: false)
    let text: String
    do { text = try TextFile.read(path, limit: Limits.fileBytes) } catch {
      switch error.code {
      case ENOENT: throw .file(path: path, reason: "there is no such file or model")
      case EFBIG:
        throw .file(
          path: path,
          reason: "is longer than \(Limits.fileBytes >> 20) MiB, more than any network needs")
      default: throw .file(path: path, reason: "cannot be read as text: \(error.cause)")
      }
    }
    return try parse(text, path: path)
  }

  /// Reads the text of a network file or a block-string file; `path` is for messages.
  public static func parse(_ text: String, path: String) throws(NetworkError) -> Contents {
    do {
      guard text.utf8.count <= Limits.fileBytes, YAMLSize.holds(text, marks: Limits.fileMarks)
      else {
        throw NetworkError.file(path: path, reason: "has more values than any network needs")
      }
      // Composed as the decoder does it, so that the text is parsed once.
      guard let root = try Yams.compose(yaml: text, Resolver.basic.appending(.merge)),
        let mapping = root.mapping
      else {
        throw NetworkError.file(
          path: path, reason: "is neither a network nor an architecture (no keys at the top)")
      }
      let keys = mapping.keys.compactMap(\.string)
      if keys.contains("nodes") {
        return .network(
          try quick(text, root) ?? YAMLDecoder().decode(Network.self, from: root))
      }
      guard keys.contains("stages") else {
        throw NetworkError.file(
          path: path,
          reason: "is neither a network (key 'nodes') nor an architecture (key 'stages')")
      }
      return .architecture(try YAMLDecoder().decode(Architecture.self, from: root))
    } catch let error as NetworkError {
      if case .file = error { throw error }
      throw .file(path: path, reason: "\(error)")
    } catch let error as DecodingError {
      throw .file(path: path, reason: error.reason)
    } catch let error as YamlError {
      let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      throw .file(path: path, reason: "is not valid YAML or JSON: \(line)")
    } catch {
      // What a setting's own type says of it.
      throw .file(path: path, reason: "\(error)")
    }
  }

  /// A sound network in JSON, by the reader of JSON: YAML's takes several times as long, up to 0.4 ms
  /// a layer. Nil for all else, also for what is wrong in any way: the reader of YAML says what it is.
  private static func quick(_ text: String, _ root: Yams.Node) -> Network? {
    guard text.utf8.first(where: { !" \n\r\t".utf8.contains($0) }) == UInt8(ascii: "{"),
      let network = try? JSONDecoder().decode(Network.self, from: Data(text.utf8)),
      !hasWholeFraction(root)
    else { return nil }
    return network
  }

  /// Whether there is a number such as 8.0 or 1e3: a whole one in JSON, and none in YAML.
  private static func hasWholeFraction(_ node: Yams.Node) -> Bool {
    switch node {
    case .scalar(let scalar):
      guard scalar.style == .plain, scalar.string.utf8.contains(where: { ".eE".utf8.contains($0) }),
        let number = Double(scalar.string)
      else { return false }
      return number.rounded() == number
    case .sequence(let list): return list.contains { hasWholeFraction($0) }
    case .mapping(let pairs): return pairs.contains { hasWholeFraction($0.value) }
    case .alias: return true
    }
  }

  /// The network as JSON with sorted keys.
  public static func json(_ network: Network) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(network)
  }

  /// The network as YAML.
  public static func yaml(_ network: Network) throws -> String {
    try ExactYAML.text(network)
  }

  /// The architecture as YAML (a block-string file).
  public static func yaml(_ architecture: Architecture) throws -> String {
    try ExactYAML.text(architecture)
  }
}
