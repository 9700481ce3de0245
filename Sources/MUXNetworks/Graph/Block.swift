// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A run of nodes that belongs together: a stem, a block, a head.
public struct Block: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, summary, nodes
  }

  /// The prefix of its nodes, such as `blocks.2.0`.
  public var name: String
  /// The block string or a short text: what it is made of.
  public var summary: String
  /// Its nodes in ``Network/nodes``; the last is its output.
  public var nodes: Range<Int>

  /// A block.
  public init(name: String, summary: String, nodes: Range<Int>) {
    self.name = name
    self.summary = summary
    self.nodes = nodes
  }

  /// Reads a block.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(CodingKeys.self)
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      summary: try values.value(.summary, default: ""),
      nodes: try values.decode(Range<Int>.self, forKey: .nodes))
  }
}
