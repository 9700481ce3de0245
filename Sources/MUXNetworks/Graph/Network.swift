// SPDX-License-Identifier: Apache-2.0
public import MUXCore

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
  /// The nodes' shapes at ``inputSize``.
  let ownShapes: [Shape]
  /// Whether each node's value is features [N, K].
  let flatness: [Bool]

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
    try Self.checkExtent(nodes, blocks)
    (indexByName, inputIndices) = try Self.resolve(nodes)
    self.outputs = outputs ?? nodes.suffix(1).map(\.name)
    outputIndices = try Self.resolve(outputs: self.outputs, indexByName)
    ownShapes = try Self.shapes(
      of: nodes, inputIndices, inputChannels: inputChannels, inputSize: inputSize)
    flatness = Self.flatness(of: nodes, inputIndices)
    var parameters = 0
    for node in nodes {
      // No layer has more than `Limits.weights`, so the sum cannot overflow before it is refused.
      parameters += node.operation.rules.parameters.reduce(0) { $0 + $1.count }
      guard parameters <= Limits.parameters else {
        throw .invalidLayer(
          name: node.name, reason: "a network has at most \(Limits.parameters) parameters")
      }
    }
  }

  /// Refuses more layers, connections or blocks than any work on a network is made for.
  private static func checkExtent(_ nodes: [Node], _ blocks: [Block]) throws(NetworkError) {
    guard nodes.count <= Limits.nodes else {
      throw .invalidLayer(
        name: nodes[Limits.nodes].name, reason: "a network has at most \(Limits.nodes) layers")
    }
    guard nodes.reduce(0, { $0 + $1.connections }) <= Limits.connections else {
      throw .invalidLayer(
        name: inputName,
        reason: "the layers have more than \(Limits.connections) inputs and branches together")
    }
    var covered = 0
    for block in blocks {
      guard block.nodes.lowerBound >= 0, block.nodes.upperBound <= nodes.count, !block.nodes.isEmpty
      else {
        throw .invalidLayer(name: block.name, reason: "the block's nodes are not in the network")
      }
      covered += block.nodes.count
      // Blocks lie side by side, as a rule; some may lie inside others.
      guard covered <= 16 * nodes.count else {
        throw .invalidLayer(name: block.name, reason: "too many blocks share their nodes")
      }
    }
  }

  /// Whether the value of a node is an output of the network.
  func isOutput(_ index: Int) -> Bool { outputIndices.contains(index) }

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
      if let reason = node.operation.unsoundness {
        throw .invalidLayer(name: node.name, reason: reason)
      }
      guard Swift.type(of: node.operation.rules).arity.contains(node.inputs.count) else {
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
        throw .invalidLayer(name: output, reason: "it is named as an output but is not a layer")
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
