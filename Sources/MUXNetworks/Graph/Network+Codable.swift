// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension Network: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case version, name, inputChannels, inputSize, initialization, nodes, blocks, outputs
  }

  /// Reads a network of any version up to ``NetworkFormat/current``, and checks it.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    // First: what a newer file holds beside may have any keys.
    try NetworkFormat.check(container, .version, what: "network")
    try decoder.rejectUnknownKeys(Key.self)
    let nodes = try Self.nodes(in: container)
    try self.init(
      name: container.decode(String.self, forKey: .name),
      inputChannels: container.value(.inputChannels, default: 3),
      inputSize: container.value(.inputSize, default: ImageSize(224)),
      nodes: nodes,
      blocks: container.contains(.blocks)
        ? container.list(of: Block.self, .blocks, atMost: Limits.nodes) : [],
      outputs: container.contains(.outputs)
        ? container.list(of: String.self, .outputs, atMost: Limits.nodes) : nil,
      initialization: container.value(.initialization, default: .google))
  }

  /// Reads the nodes one by one, so that a file which only says the same again and again is refused
  /// before it fills the memory.
  private static func nodes(in container: KeyedDecodingContainer<Key>) throws -> [Node] {
    var list = try container.nestedUnkeyedContainer(forKey: .nodes)
    var nodes: [Node] = []
    var connections = 0
    while !list.isAtEnd {
      let node = try list.decode(Node.self)
      connections += node.connections
      guard nodes.count < Limits.nodes, connections <= Limits.connections else {
        throw DecodingError.dataCorruptedError(
          forKey: .nodes, in: container,
          debugDescription: "a network has at most \(Limits.nodes) layers, with"
            + " \(Limits.connections) inputs and branches together")
      }
      nodes.append(node)
    }
    return nodes
  }

  /// Writes a network.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(
      nodes.map(\.operation.rules.formatVersion).max() ?? 1, forKey: .version)
    try container.encode(name, forKey: .name)
    try container.encode(inputChannels, forKey: .inputChannels)
    try container.encode(inputSize, forKey: .inputSize)
    try container.encode(initialization, forKey: .initialization)
    try container.encode(nodes, forKey: .nodes)
    try container.encode(blocks, forKey: .blocks)
    // Left out where it says nothing new, as in files of earlier versions.
    if outputs != nodes.suffix(1).map(\.name) { try container.encode(outputs, forKey: .outputs) }
  }
}
