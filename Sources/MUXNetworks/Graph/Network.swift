// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A network as data: typed operations in topological order.
///
/// Costs, training, inference, export and drawings all read this one value. A node's name is also
/// the prefix of its weights' names, which are those of the public PyTorch implementations.
/// A value of this type is always well formed: names are unique, inputs come before their use, and
/// channels fit; only the spatial sizes depend on the input (``shapes(inputSize:)``).
public struct Network: Sendable, Hashable {
  /// The name by which nodes refer to the network's input.
  public static let inputName = "input"

  /// The model's name, such as `muxnet_m`.
  public let name: String
  /// The channels of the input images.
  public let inputChannels: Int
  /// The image size for which the network was made.
  public let inputSize: ImageSize
  /// The operations, each after its inputs.
  public let nodes: [Node]
  /// The names of the nodes whose values are the network's outputs: the last node's, as a rule; a
  /// detector has several.
  public let outputs: [String]
  /// The blocks of the network: named runs of nodes, in order.
  public let blocks: [Block]
  /// How fresh weights are drawn.
  public let initialization: WeightInitialization

  /// For each node, where its inputs stand in ``nodes``; −1 is the network's input.
  public let inputIndices: [[Int]]
  /// Where the outputs stand in ``nodes``, in the order of ``outputs``.
  public let outputIndices: [Int]

  private let indexByName: [String: Int]

  /// A network from its nodes; its output is the last one unless `outputs` names others.
  ///
  /// - Throws: ``NetworkError`` naming the first node that is not sound.
  public init(
    name: String, inputChannels: Int = 3, inputSize: ImageSize = ImageSize(224), nodes: [Node],
    blocks: [Block] = [], outputs: [String]? = nil,
    initialization: WeightInitialization = .google
  ) throws(NetworkError) {
    self.name = name
    self.inputChannels = inputChannels
    self.inputSize = inputSize
    self.nodes = nodes
    self.blocks = blocks
    self.initialization = initialization
    (indexByName, inputIndices) = try Self.resolve(nodes)
    self.outputs = outputs ?? nodes.suffix(1).map(\.name)
    outputIndices = try Self.resolve(outputs: self.outputs, indexByName)
    try checkChannels()
    for block in blocks
    where block.nodes.lowerBound < 0 || block.nodes.upperBound > nodes.count || block.nodes.isEmpty
    {
      throw .invalidLayer(name: block.name, reason: "the block's nodes are not in the network")
    }
  }

  /// Whether the value of a node is an output of the network.
  public func isOutput(_ index: Int) -> Bool { outputIndices.contains(index) }

  /// The position of a node.
  public func index(ofNode name: String) -> Int? { indexByName[name] }

  /// The node whose output is the value of a layer: a node by name, or the last node of a block.
  ///
  /// - Throws: ``NetworkError/unknownLayer(name:network:nearest:)``.
  public func index(ofLayer layer: String) throws(NetworkError) -> Int {
    if let index = indexByName[layer] { return index }
    if let block = blocks.first(where: { $0.name == layer }) { return block.nodes.upperBound - 1 }
    let names = nodes.map(\.name) + blocks.map(\.name)
    throw .unknownLayer(
      name: layer, network: name, nearest: NameDistance.nearest(to: layer, among: names))
  }

  /// The linear layer that classifies, with its position: the last one of the network. A network of
  /// several outputs has none.
  public var classifier: (index: Int, linear: Linear)? {
    guard outputs.count == 1 else { return nil }
    for index in nodes.indices.reversed() {
      if case .linear(let linear) = nodes[index].operation { return (index, linear) }
    }
    return nil
  }

  /// The number of classes, if the network ends in a linear layer.
  public var classCount: Int? { classifier?.linear.outputFeatures }

  /// Finds each node's inputs.
  private static func resolve(
    _ nodes: [Node]
  ) throws(NetworkError) -> ([String: Int], [[Int]]) {
    guard !nodes.isEmpty else {
      throw .invalidLayer(name: inputName, reason: "a network needs at least one layer")
    }
    var indices = [inputName: -1]
    var inputs: [[Int]] = []
    inputs.reserveCapacity(nodes.count)
    for (index, node) in nodes.enumerated() {
      if let defect = node.operation.excess ?? node.operation.defect {
        throw .invalidLayer(name: node.name, reason: defect)
      }
      guard node.operation.arity.contains(node.inputs.count) else {
        throw .invalidLayer(
          name: node.name,
          reason: "'\(node.operation.type)' cannot take \(node.inputs.count) inputs")
      }
      var own: [Int] = []
      for input in node.inputs {
        guard let position = indices[input] else {
          throw .invalidLayer(
            name: node.name, reason: "its input '\(input)' is not a layer before it")
        }
        own.append(position)
      }
      inputs.append(own)
      guard indices.updateValue(index, forKey: node.name) == nil else {
        throw .invalidLayer(name: node.name, reason: "the name is used twice")
      }
    }
    indices[inputName] = nil
    return (indices, inputs)
  }

  /// Finds the outputs.
  private static func resolve(
    outputs: [String], _ indices: [String: Int]
  ) throws(NetworkError) -> [Int] {
    guard !outputs.isEmpty, Set(outputs).count == outputs.count else {
      throw .invalidLayer(
        name: outputs.first ?? inputName, reason: "a network needs outputs, each named once")
    }
    var positions: [Int] = []
    for output in outputs {
      guard let position = indices[output] else {
        throw .invalidLayer(name: output, reason: "it is named as an output but is no layer")
      }
      positions.append(position)
    }
    return positions
  }

  /// Equal names, nodes and settings (the look-up tables follow from them).
  public static func == (left: Network, right: Network) -> Bool {
    left.name == right.name && left.inputChannels == right.inputChannels
      && left.inputSize == right.inputSize && left.nodes == right.nodes
      && left.blocks == right.blocks && left.outputs == right.outputs
      && left.initialization == right.initialization
  }

  /// Hashes the name and the nodes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(nodes)
  }
}

/// One operation of a network.
public struct Node: Sendable, Hashable, Codable {
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
}

/// A run of nodes that belongs together: a stem, a block, a head.
public struct Block: Sendable, Hashable, Codable {
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
}

/// The rule for fresh weights. Scales of batch norms start at 1, shifts and biases at 0.
public enum WeightInitialization: String, Sendable, Hashable, Codable {
  /// Convolutions N(0, √(2 / (k²·C′))), linear layers U(±1/√F′): the paper's code.
  case google
  /// Convolutions N(0, √(2 / (k²·C′ / groups))), linear layers U(±1/√F′): timm's EfficientNets.
  case googleGroups
  /// Convolutions Kaiming normal by fan-out, linear layers N(0, 0.01): torchvision's mobile nets.
  case kaiming
  /// Convolutions and linear layers uniform in ±√(6 / (fan-in + fan-out)): public SSD code.
  case xavier
}
