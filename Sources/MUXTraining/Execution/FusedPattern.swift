// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// A run of nodes that one fused operation can stand for, found by its shape in the graph: names
/// and block strings play no part.
struct FusedPattern {
  /// A block: see ``FusedBlockExecutor``. Node positions.
  struct Block {
    var processedChannels: Int
    var expansion: (convolution: Int, norm: Norm)?
    var activation: Activation
    var spatial: Int
    /// What the spatial convolution is made of; a plain one is one branch.
    var branches: [BranchedConvolution.Branch]
    var spatialNorm: Norm
    var squeeze: NetworkAnalysis.Excitation?
    var projection: Int
    var projectionNorm: Norm
    var hasResidual = false
    var shuffleGroups = 1
  }

  /// Convolution, batch norm, activation and perhaps the global pool.
  struct Layer {
    var node: Int
    var convolution: Convolution
    var norm: Norm
    var activation: Activation
    var pools: Bool
  }

  /// A batch norm with its node.
  struct Norm {
    var node: Int
    var settings: BatchNormalization
  }

  enum Kind {
    case block(Block)
    case layer(Layer)
  }

  var nodes: Range<Int>
  var kind: Kind

  /// All patterns of a network, in order, without overlap.
  static func all(in network: Network) -> [FusedPattern] {
    var patterns: [FusedPattern] = []
    var index = 0
    let matcher = FusedPatternMatcher(network)
    while index < network.nodes.count {
      if let pattern = matcher.pattern(at: index) {
        patterns.append(pattern)
        index = pattern.nodes.upperBound
      } else {
        index += 1
      }
    }
    return patterns
  }
}

/// Finds patterns; each step reads the nodes one after the other, as the builder writes them.
struct FusedPatternMatcher {
  private let network: Network
  private let analysis: NetworkAnalysis

  init(_ network: Network) {
    self.network = network
    analysis = NetworkAnalysis(network)
  }

  func pattern(at start: Int) -> FusedPattern? {
    for found in [block(at: start), layer(at: start)] {
      if let found, isClosed(found.nodes) { return found }
    }
    return nil
  }

  /// Whether nothing outside reads a value inside, except the last one's.
  private func isClosed(_ nodes: Range<Int>) -> Bool {
    nodes.dropLast().allSatisfy { analysis.lastReader(of: $0) < nodes.upperBound }
  }

  // MARK: Single nodes

  private func operation(_ index: Int, reading input: Int) -> MUXNetworks.Operation? {
    guard index < network.nodes.count, network.inputIndices[index] == [input] else { return nil }
    return network.nodes[index].operation
  }

  private func norm(_ index: Int, reading input: Int) -> FusedPattern.Norm? {
    guard case .batchNormalization(let settings) = operation(index, reading: input) else {
      return nil
    }
    return .init(node: index, settings: settings)
  }

  private func activation(_ index: Int, reading input: Int) -> Activation? {
    if case .activation(let activation) = operation(index, reading: input) {
      activation
    } else {
      nil
    }
  }

  private func pointwise(_ index: Int, reading input: Int, hasBias: Bool = false) -> Convolution? {
    guard case .convolution(let convolution) = operation(index, reading: input),
      convolution.isDensePointwise, convolution.hasBias == hasBias
    else { return nil }
    return convolution
  }

  private func isSpatial(_ convolution: Convolution) -> Bool {
    convolution.inputChannels == convolution.outputChannels && !convolution.hasBias
      && convolution.dilation == 1 && convolution.kernelSize % 2 == 1
      && convolution.keepsGrid && convolution.stride <= 2
      && convolution.groupWidth <= 16 && convolution.groups > 1
  }

  /// The branches of a spatial convolution that the kernels know, nil for anything else.
  private func spatial(_ index: Int, reading input: Int) -> [BranchedConvolution.Branch]? {
    let operation = operation(index, reading: input)
    if case .convolution(let convolution) = operation, isSpatial(convolution) {
      return [.init(name: "", convolution: convolution)]
    }
    guard case .branchedConvolution(let branched) = operation else { return nil }
    let factors = Set(branched.branches.filter { $0.multiplexing != .none }.map(\.factor))
    let strides = Set(branched.branches.map(\.convolution.stride))
    guard branched.branches.allSatisfy({ isSpatialBranch($0.convolution) }), factors.count <= 1,
      strides.count == 1
    else { return nil }
    return branched.branches
  }

  /// A branch of one channel is depthwise too.
  private func isSpatialBranch(_ convolution: Convolution) -> Bool {
    var counted = convolution
    if convolution.inputChannels == 1 { counted.groups = 2 }
    return isSpatial(counted)
  }

  // MARK: Blocks

  private func block(at start: Int) -> FusedPattern? {
    guard let x = network.inputIndices[start].first else { return nil }
    var index = start
    var value = x
    var passed: Int?
    var processed: Int?
    if case .slice(let first) = operation(start, reading: x), first.start == 0,
      case .slice(let second) = operation(start + 1, reading: x), second.start == first.count
    {
      (value, passed, processed) = (start, start + 1, first.count)
      index += 2
    }
    let input = value
    var expansion: (convolution: Int, norm: FusedPattern.Norm)?
    var act: Activation?
    if let convolution = pointwise(index, reading: value),
      let norm = norm(index + 1, reading: index),
      let found = activation(index + 2, reading: index + 1)
    {
      processed = processed ?? convolution.inputChannels
      (expansion, act, value) = ((index, norm), found, index + 2)
      index += 3
    }
    guard let branches = spatial(index, reading: value),
      let spatialNorm = norm(index + 1, reading: index),
      let found = activation(index + 2, reading: index + 1), act == nil || act == found
    else { return nil }
    let spatial = index
    value = index + 2
    index += 3
    let squeeze = squeeze(index, reading: value)
    if squeeze != nil {
      value = index + 5
      index += 6
    }
    guard let projection = pointwise(index, reading: value),
      let projectionNorm = norm(index + 1, reading: index)
    else { return nil }
    var block = FusedPattern.Block(
      processedChannels: processed ?? projection.inputChannels, expansion: expansion,
      activation: found, spatial: spatial, branches: branches, spatialNorm: spatialNorm,
      squeeze: squeeze, projection: index, projectionNorm: projectionNorm)
    value = index + 1
    index += 2
    if reads(index, [value, input]), case .add = network.nodes[index].operation {
      block.hasResidual = true
      value = index
      index += 1
    }
    if let passed {
      guard index < network.nodes.count, network.inputIndices[index] == [value, passed],
        case .concatenate = network.nodes[index].operation
      else { return nil }
      value = index
      index += 1
    }
    if case .channelShuffle(let groups) = operation(index, reading: value) {
      block.shuffleGroups = groups
      index += 1
    }
    return FusedPattern(nodes: start..<index, kind: .block(block))
  }

  /// Whether a node reads exactly these values, in any order.
  private func reads(_ index: Int, _ values: [Int]) -> Bool {
    index < network.nodes.count && network.inputIndices[index].sorted() == values.sorted()
  }

  /// Squeeze-and-excitation in the six nodes from `index` on, with biases and both activations.
  private func squeeze(_ index: Int, reading value: Int) -> NetworkAnalysis.Excitation? {
    guard let found = analysis.excitation(of: value), found.nodes == Array(index..<index + 6),
      pointwise(found.reduce, reading: index, hasBias: true) != nil,
      pointwise(found.expand, reading: index + 2, hasBias: true) != nil
    else { return nil }
    return found
  }

  // MARK: Layers

  private func layer(at start: Int) -> FusedPattern? {
    guard case .convolution(let convolution) = network.nodes[start].operation,
      let x = network.inputIndices[start].first, convolution.groups == 1,
      convolution.dilation == 1, !convolution.hasBias,
      pointwise(start, reading: x) != nil || x == -1,
      let norm = norm(start + 1, reading: start),
      let act = activation(start + 2, reading: start + 1)
    else { return nil }
    var end = start + 3
    var pools = false
    if case .globalAveragePool = operation(end, reading: start + 2),
      analysis.lastReader(of: start + 2) == end
    {
      pools = true
      end += 1
    }
    return FusedPattern(
      nodes: start..<end,
      kind: .layer(
        .init(node: start, convolution: convolution, norm: norm, activation: act, pools: pools)))
  }
}
