// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Puts a network together node by node, keeping track of the channels.
///
/// ```swift
/// var builder = NetworkBuilder(name: "tiny")
/// var x = builder.input
/// x = builder.convolution(x, "conv", outputChannels: 16, kernelSize: 3, stride: 2)
/// x = builder.batchNormalization(x, "bn")
/// x = builder.activation(x, "act", .swish)
/// x = builder.classify(x, classes: 10)
/// let network = try builder.build()
/// ```
/// Impossible settings are reported by ``build(outputs:)``, with the layer's name.
public struct NetworkBuilder: Sendable {
  /// The output of a node (or the network's input) with its channels.
  public struct Value: Sendable, Hashable {
    /// The node's name.
    public let name: String
    /// Its channels (or features).
    public let channels: Int
  }

  /// The model's name.
  public let name: String
  /// The network's input.
  public let input: Value
  private let inputSize: ImageSize
  private let initialization: WeightInitialization
  private var nodes: [Node] = []
  private var blocks: [Block] = []

  /// Starts a network.
  public init(
    name: String, inputChannels: Int = 3, inputSize: ImageSize = ImageSize(224),
    initialization: WeightInitialization = .google
  ) {
    self.name = name
    self.input = Value(name: Network.inputName, channels: inputChannels)
    self.inputSize = inputSize
    self.initialization = initialization
  }

  /// The finished network; its output is the last node unless `outputs` are given.
  ///
  /// - Throws: ``NetworkError`` naming the first layer that is not sound.
  public func build(outputs: [Value]? = nil) throws(NetworkError) -> Network {
    try Network(
      name: name, inputChannels: input.channels, inputSize: inputSize, nodes: nodes,
      blocks: blocks, outputs: outputs?.map(\.name), initialization: initialization)
  }

  /// Records the nodes that `body` adds as one block.
  public mutating func block<Failure: Error>(
    _ name: String, summary: String,
    _ body: (inout NetworkBuilder) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let start = nodes.count
    let output = try body(&self)
    blocks.append(Block(name: name, summary: summary, nodes: start..<nodes.count))
    return output
  }

  /// Adds the nodes and blocks of a finished network under other names, on the builder's input.
  ///
  /// - Parameters:
  ///   - network: A network that takes the same images.
  ///   - nodeNames: The new names of its nodes, in order.
  ///   - blockName: Gives the new name of a block.
  /// - Returns: The value of each of its nodes.
  /// - Throws: ``NetworkError`` where the names are too few or too many, or the network cannot run at
  ///   its own image size.
  public mutating func append(
    _ network: Network, nodeNames: [String], blockName: (Block) -> String
  ) throws(NetworkError) -> [Value] {
    guard nodeNames.count == network.nodes.count else {
      throw .invalidLayer(
        name: network.name,
        reason: "\(nodeNames.count) names for its \(network.nodes.count) nodes")
    }
    let start = nodes.count
    let shapes = try network.shapes()
    for (index, node) in network.nodes.enumerated() {
      nodes.append(
        Node(
          name: nodeNames[index], operation: node.operation,
          inputs: network.inputIndices[index].map { $0 < 0 ? input.name : nodeNames[$0] }))
    }
    for block in network.blocks {
      blocks.append(
        Block(
          name: blockName(block), summary: block.summary,
          nodes: block.nodes.lowerBound + start..<block.nodes.upperBound + start))
    }
    return zip(nodeNames, shapes).map { Value(name: $0, channels: $1.channels) }
  }

  /// Adds any operation.
  public mutating func add(
    _ name: String, _ operation: Operation, _ inputs: Value..., channels: Int
  ) -> Value {
    nodes.append(Node(name: name, operation: operation, inputs: inputs.map(\.name)))
    return Value(name: name, channels: channels)
  }

  /// Adds a convolution ("same" padding unless given).
  public mutating func convolution(
    _ value: Value, _ name: String, outputChannels: Int, kernelSize: Int = 1, stride: Int = 1,
    padding: Int? = nil, dilation: Int = 1, groups: Int = 1, hasBias: Bool = false
  ) -> Value {
    let convolution = Convolution(
      inputChannels: value.channels, outputChannels: outputChannels, kernelSize: kernelSize,
      stride: stride, padding: padding, dilation: dilation, groups: groups, hasBias: hasBias)
    return add(name, .convolution(convolution), value, channels: outputChannels)
  }

  /// Adds a convolution of parallel branches.
  public mutating func branchedConvolution(
    _ value: Value, _ name: String, _ branched: BranchedConvolution
  ) -> Value {
    add(name, .branchedConvolution(branched), value, channels: branched.outputChannels)
  }

  /// Adds a batch normalisation.
  public mutating func batchNormalization(
    _ value: Value, _ name: String, epsilon: Double = 1e-5, momentum: Double = 0.1
  ) -> Value {
    let norm = BatchNormalization(channels: value.channels, epsilon: epsilon, momentum: momentum)
    return add(name, .batchNormalization(norm), value, channels: value.channels)
  }

  /// Adds an L2 normalisation over the channels.
  public mutating func l2Normalization(_ value: Value, _ name: String) -> Value {
    add(
      name, .l2Normalization(L2Normalization(channels: value.channels)), value,
      channels: value.channels)
  }

  /// Adds a non-linearity (nothing for the identity).
  public mutating func activation(
    _ value: Value, _ name: String, _ activation: Activation
  ) -> Value {
    activation == .identity
      ? value : add(name, .activation(activation), value, channels: value.channels)
  }

  /// Adds the sum of two values.
  public mutating func sum(_ left: Value, _ right: Value, _ name: String) -> Value {
    add(name, .add, left, right, channels: left.channels)
  }

  /// Adds the concatenation of values along the channels.
  public mutating func concatenation(_ values: [Value], _ name: String) -> Value {
    nodes.append(Node(name: name, operation: .concatenate, inputs: values.map(\.name)))
    return Value(name: name, channels: values.reduce(0) { $0 + $1.channels })
  }

  /// Adds the choice of the channels `start ..< start + count`.
  public mutating func slice(_ value: Value, _ name: String, start: Int, count: Int) -> Value {
    add(name, .slice(ChannelSlice(start: start, count: count)), value, channels: count)
  }

  /// Adds a channel shuffle (nothing for one group).
  public mutating func channelShuffle(_ value: Value, _ name: String, groups: Int) -> Value {
    groups == 1
      ? value : add(name, .channelShuffle(groups: groups), value, channels: value.channels)
  }

  /// Adds a pool over windows.
  public mutating func pool(_ value: Value, _ name: String, _ pooling: Pooling) -> Value {
    add(name, .pool(pooling), value, channels: value.channels)
  }

  /// Adds zeros around the image, or cuts off where numbers are negative.
  public mutating func pad(_ value: Value, _ name: String, _ padding: ImagePadding) -> Value {
    add(name, .pad(padding), value, channels: value.channels)
  }

  /// Adds a fully connected layer on features [N, F].
  public mutating func linear(_ value: Value, _ name: String, outputFeatures: Int) -> Value {
    let linear = Linear(inputFeatures: value.channels, outputFeatures: outputFeatures)
    return add(name, .linear(linear), value, channels: outputFeatures)
  }

  /// Adds squeeze-and-excitation: mean, 1×1, activation, 1×1, gate, product.
  public mutating func squeezeExcitation(
    _ value: Value, _ name: String, reducedChannels: Int, activation: Activation,
    gate: Activation = .sigmoid
  ) -> Value {
    var x = add("\(name).pool", .globalAveragePool, value, channels: value.channels)
    x = convolution(x, "\(name).conv_reduce", outputChannels: reducedChannels, hasBias: true)
    x = self.activation(x, "\(name).act", activation)
    x = convolution(x, "\(name).conv_expand", outputChannels: value.channels, hasBias: true)
    x = self.activation(x, "\(name).gate", gate)
    return add("\(name).multiply", .multiply, value, x, channels: value.channels)
  }

  /// Adds stochastic depth (nothing for rate 0).
  public mutating func dropPath(_ value: Value, _ name: String, rate: Double) -> Value {
    rate == 0 ? value : add(name, .dropPath(rate: rate), value, channels: value.channels)
  }

  /// Adds the global mean, dropout and the linear classifier.
  public mutating func classify(
    _ value: Value, _ name: String = "classifier", classes: Int, dropoutRate: Double = 0
  ) -> Value {
    let x = add("global_pool", .globalAveragePool, value, channels: value.channels)
    return classifyPooled(x, name, classes: classes, dropoutRate: dropoutRate)
  }

  /// Adds dropout and the linear classifier behind a global mean, [N, F, 1, 1] → [N, classes].
  public mutating func classifyPooled(
    _ value: Value, _ name: String = "classifier", classes: Int, dropoutRate: Double = 0
  ) -> Value {
    var x = add("flatten", .flatten, value, channels: value.channels)
    if dropoutRate > 0 {
      x = add("dropout", .dropout(rate: dropoutRate), x, channels: x.channels)
    }
    let linear = Linear(inputFeatures: x.channels, outputFeatures: classes)
    return add(name, .linear(linear), x, channels: classes)
  }
}
