// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// One operation of a network.
public struct Node: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, operation, inputs
  }

  /// A unique name in PyTorch's style, such as `blocks.2.0.conv_pw`; the prefix of its weights.
  public var name: String
  /// What the node computes.
  public var operation: Operation
  /// The names of its inputs; ``Network/inputName`` is the network's.
  public var inputs: [String]

  /// A node.
  public init(name: String, operation: Operation, inputs: [String]) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
  }

  /// Reads a node.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: AnyKey.self)
    try values.rejectUnknownKeys(CodingKeys.self)
    self.init(
      name: try values.decode(String.self, forKey: AnyKey(CodingKeys.name)),
      operation: try values.decode(Operation.self, forKey: AnyKey(CodingKeys.operation)),
      inputs: try values.list(of: String.self, AnyKey(CodingKeys.inputs), atMost: Limits.inputs))
  }

  /// Its inputs and the branches of its convolution.
  var connections: Int { inputs.count + operation.rules.windows.count }

  /// The shape that the node gives for its inputs' shapes; its height or width may be 0.
  func shape(from inputs: [Shape]) throws(NetworkError) -> Shape {
    do {
      return try operation.rules.shape(of: inputs)
    } catch {
      throw .shape(layer: name, reason: error.reason)
    }
  }
}
