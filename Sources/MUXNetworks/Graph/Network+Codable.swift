// SPDX-License-Identifier: Apache-2.0

extension Network: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case name, inputChannels, inputSize, initialization, nodes, blocks, outputs
  }

  /// Reads a network and checks it.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    try self.init(
      name: container.decode(String.self, forKey: .name),
      inputChannels: container.decode(Int.self, forKey: .inputChannels),
      inputSize: container.decode(ImageSize.self, forKey: .inputSize),
      nodes: container.decode([Node].self, forKey: .nodes),
      blocks: container.decodeIfPresent([Block].self, forKey: .blocks) ?? [],
      outputs: container.decodeIfPresent([String].self, forKey: .outputs),
      initialization: container.decodeIfPresent(
        WeightInitialization.self, forKey: .initialization) ?? .google)
  }

  /// Writes a network.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
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
