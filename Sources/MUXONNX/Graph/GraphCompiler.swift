// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXWeights

/// Says a network in ONNX's operators, node by node.
struct GraphCompiler {
  let network: Network
  let weights: CheckedWeights
  var writer: GraphWriter
  /// The value of each node; position 0 is the network's input, node i is at i + 1.
  var values: [GraphValue] = []
  /// Who reads what.
  let analysis: NetworkAnalysis
  /// The batch norm that goes into a node before it, by the latter's position.
  let foldedNorms: [Int: Int]
  /// The first layer whose weights leave single precision once a batch norm is folded into them.
  private(set) var overflow: String?
  private var parts: [String: [Range<Int>: String]] = [:]
  private var slices: [String: SlicesOfTensor] = [:]
  private var arrangements: [Arrangement: String] = [:]

  private struct Arrangement: Hashable {
    let name: String
    let sources: [Int]
  }

  /// The network's slices of one tensor, as far as its nodes have been added.
  private struct SlicesOfTensor {
    /// The nodes that read the tensor by one of its names, and have not been looked at.
    var newReaders: [Int] = []
    var names: [Range<Int>: String] = [:]
    /// The channels of all slices together.
    var channels = 0
    /// Whether they share out the tensor's channels; nil before that was looked at.
    var isShared: Bool?
  }

  init(
    _ analysis: NetworkAnalysis, weights: CheckedWeights, keepsBatchNormalization: Bool,
    batch: ONNXExport.Batch
  ) {
    self.analysis = analysis
    network = analysis.network
    self.weights = weights
    writer = GraphWriter(name: network.name, batch: batch)
    foldedNorms = keepsBatchNormalization ? [:] : Self.foldedNorms(analysis)
  }

  /// The batch norms that alone read a convolution.
  private static func foldedNorms(_ analysis: NetworkAnalysis) -> [Int: Int] {
    var found: [Int: Int] = [:]
    for index in analysis.network.nodes.indices
    where !analysis.operation(index).windows.isEmpty {
      if let following = analysis.norm(after: index) { found[index] = following.node }
    }
    return found
  }

  /// The whole graph; with post-processing a detector's outputs become boxes.
  mutating func graph(_ processing: DetectionPostProcessing? = nil) -> Onnx_GraphProto {
    let input = GraphValue(name: ONNXExport.inputName, shape: analysis.input)
    take(input)
    writer.setInput(input)
    let folded = Set(foldedNorms.values)
    for (index, node) in network.nodes.enumerated() {
      let inputs = network.inputIndices[index].map { values[$0 + 1] }
      var value = inputs[0]
      if !folded.contains(index) {
        value = add(node, index, inputs)
        value.shape = analysis.shapes[index]
        writer.describe(value)
      }
      take(value)
    }
    // As the nodes spell them: Unicode has several spellings of a letter, and readers compare bytes.
    let names =
      network.outputs.count == 1
      ? [ONNXExport.outputName] : network.outputIndices.map { network.nodes[$0].name }
    // All are put in order before any is renamed: nodes go by the names that tensors had first.
    var outputs: [GraphValue] = []
    for index in network.outputIndices { outputs.append(arranged(values[index + 1], as: nil)) }
    if let processing {
      addDetections(outputs, processing)
    } else {
      for (name, value) in zip(names, outputs) { writer.addOutput(value, name: name) }
    }
    return writer.graph
  }

  /// Adds the value of the next node.
  private mutating func take(_ value: GraphValue) {
    let readers = analysis.readers(of: values.count - 1)
    values.append(value)
    // Dropout and the like pass a tensor on under the same name.
    if value.order == nil { slices[value.name, default: .init()].newReaders += readers }
  }

  private mutating func add(_ node: Node, _ index: Int, _ inputs: [GraphValue]) -> GraphValue {
    var value = inputs[0]
    switch node.operation {
    case .convolution(let convolution): return add(convolution, node, index, value)
    case .branchedConvolution(let branched): return add(branched, node, index, value)
    case .batchNormalization(let norm):
      value.name = addNorm(norm, node.name, value.name, channels: value.order?.channels)
    case .l2Normalization(let norm):
      value.name = addNorm(norm, node.name, value.name, channels: value.order?.channels)
    case .activation(let activation):
      value.name = addActivation(activation, node.name, value.name)
    case .linear(let linear): return add(linear, node, value)
    case .add, .multiply:
      let type = if case .add = node.operation { "Add" } else { "Mul" }
      let other = arranged(inputs[1], as: value.order)
      value.name = writer.node(type, node.name, [value.name, other.name])
    case .concatenate: return concatenated(inputs, node.name)
    case .slice(let slice):
      value.name = part(slice.start..<slice.start + slice.count, of: value, node.name)
      value.order = nil
    case .channelShuffle(let groups):
      value.order = .shuffled(value.order, channels: value.shape.channels, groups: groups)
    case .pool(let pool): value.name = addPool(pool, node.name, value, analysis.shapes[index])
    case .globalAveragePool:
      value.name = writer.node("GlobalAveragePool", node.name, [value.name])
    case .adaptiveAveragePool(let size): value.name = addPool(size, node.name, value)
    case .pad(let padding): value.name = addPadding(padding, node.name, value)
    case .flatten: return flattened(value, node.name)
    case .dropout, .dropPath: break
    }
    return value
  }

  // MARK: Channels

  /// A value with its channels in another order: one Gather, once for each order.
  mutating func arranged(_ value: GraphValue, as order: ChannelOrder?) -> GraphValue {
    guard value.order != order else { return value }
    var result = value
    result.order = order
    let sources = (0..<value.shape.channels).map { place in
      let channel = order?.channels[place] ?? place
      return value.order?.positions[channel] ?? channel
    }
    result.name = gathered(value.name, sources, "\(value.name).order")
    return result
  }

  private mutating func gathered(_ input: String, _ sources: [Int], _ name: String) -> String {
    let arrangement = Arrangement(name: input, sources: sources)
    if let known = arrangements[arrangement] { return known }
    let indices = writer.integers(sources, "\(name).indices")
    let output = writer.node("Gather", name, [input, indices], [.int("axis", 1)])
    arrangements[arrangement] = output
    return output
  }

  /// Some channels of a value, in the network's order. Slices that share out all channels of a
  /// value among them become one Split.
  mutating func part(_ range: Range<Int>, of value: GraphValue, _ name: String) -> String {
    let count = value.shape.channels
    if let order = value.order { return gathered(value.name, Array(order.positions[range]), name) }
    if range == 0..<count { return value.name }
    if let known = parts[value.name]?[range] { return known }
    let shared = sharingSlices(of: value, with: range)
    if !shared.isEmpty {
      let names = writer.split(
        value.name, "\(value.name).split", counts: shared.map(\.range.count),
        parts: shared.map(\.name))
      parts[value.name] = Dictionary(uniqueKeysWithValues: zip(shared.map(\.range), names))
      if let own = parts[value.name]?[range] { return own }
    }
    let bounds = [range.lowerBound, range.upperBound, 1].map {
      writer.integers([$0], "bound.\($0)")
    }
    return writer.node("Slice", name, [value.name, bounds[0], bounds[1], bounds[2]])
  }

  /// The network's slices of a value if they share out its channels, in ascending order, and
  /// `range` is one of them.
  private mutating func sharingSlices(
    of value: GraphValue, with range: Range<Int>
  ) -> [(name: String, range: Range<Int>)] {
    guard var found = slices.removeValue(forKey: value.name) else { return [] }
    for reader in found.newReaders {
      guard case .slice(let slice) = network.nodes[reader].operation else { continue }
      let own = slice.start..<slice.start + slice.count
      if found.names.updateValue(network.nodes[reader].name, forKey: own) == nil {
        found.channels += own.count
        found.isShared = nil
      }
    }
    found.newReaders = []
    var result: [(name: String, range: Range<Int>)] = []
    if found.names[range] != nil, found.channels == value.shape.channels, found.isShared != false {
      result = found.names.map { (name: $0.value, range: $0.key) }
        .sorted { $0.range.lowerBound < $1.range.lowerBound }
      var end = 0
      for part in result where part.range.lowerBound == end { end = part.range.upperBound }
      // As many channels as there are, each slice where the one before ends: none is left out.
      found.isShared = end == value.shape.channels
    }
    let isShared = found.isShared == true
    slices[value.name] = found
    return isShared ? result : []
  }

  private mutating func concatenated(_ inputs: [GraphValue], _ name: String) -> GraphValue {
    guard inputs.count > 1 else { return inputs[0] }
    var value = inputs[0]
    value.name = writer.node("Concat", name, inputs.map(\.name), [.int("axis", 1)])
    value.order = .concatenated(inputs.map { ($0.order, $0.shape.channels) })
    return value
  }

  // MARK: Features

  private mutating func flattened(_ value: GraphValue, _ name: String) -> GraphValue {
    guard !value.isFlat else { return value }
    var result = value
    result.name = writer.node("Flatten", name, [value.name], [.int("axis", 1)])
    result.isFlat = true
    result.order = value.order?.expanded(by: value.shape.height * value.shape.width)
    return result
  }

  private mutating func add(_ linear: Linear, _ node: Node, _ input: GraphValue) -> GraphValue {
    let features = flattened(input, "\(node.name).flatten")
    var kernel = Kernel(
      shape: [linear.outputFeatures, linear.inputFeatures],
      weight: weights.values(.linearWeight, of: node.name),
      bias: linear.hasBias ? weights.values(.bias, of: node.name) : nil)
    if let order = features.order { kernel.arrangeColumns(order.channels) }
    var result = features
    result.order = nil
    result.name = writer.node(
      "Gemm", node.name, [features.name] + tensors(of: kernel, node.name), [.int("transB", 1)])
    return result
  }

  /// The constants of a kernel: its weight, and its bias if it has one.
  mutating func tensors(of kernel: Kernel, _ name: String) -> [String] {
    if !kernel.isFinite { overflow = overflow ?? name }
    let weight = writer.tensor(kernel.weight, shape: kernel.shape, "\(name).weight")
    guard let bias = kernel.bias else { return [weight] }
    return [weight, writer.tensor(bias, shape: [bias.count], "\(name).bias")]
  }
}
