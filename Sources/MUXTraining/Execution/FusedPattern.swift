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

/// Finds patterns: what the analysis of the network recognises, as far as the kernels can do it and its
/// nodes stand one after the other, as the builder writes them.
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

  // MARK: Layers

  /// The batch norm right behind a layer.
  private func norm(_ layer: NetworkAnalysis.Layer) -> FusedPattern.Norm? {
    let node = layer.node + 1
    guard layer.chain.nodes.first == node,
      case .batchNormalization(let settings) = analysis.operation(node)
    else { return nil }
    return .init(node: node, settings: settings)
  }

  /// The batch norm and the activation right behind a layer.
  private func finish(
    _ layer: NetworkAnalysis.Layer
  ) -> (norm: FusedPattern.Norm, activation: Activation)? {
    let node = layer.node + 2
    guard let norm = norm(layer), layer.chain.nodes.dropFirst().first == node,
      case .activation(let activation) = analysis.operation(node)
    else { return nil }
    return (norm, activation)
  }

  private func layer(at start: Int) -> FusedPattern? {
    guard case .convolution(let convolution) = analysis.operation(start), convolution.groups == 1,
      convolution.dilation == 1, !convolution.hasBias,
      convolution.isDensePointwise || network.inputIndices[start] == [-1],
      let (norm, activation) = finish(analysis.layer(at: start))
    else { return nil }
    let end = start + 3
    let pools =
      analysis.soleReader(of: end - 1) == end && analysis.operation(end) == .globalAveragePool
    return FusedPattern(
      nodes: start..<(pools ? end + 1 : end),
      kind: .layer(
        .init(
          node: start, convolution: convolution, norm: norm, activation: activation, pools: pools)))
  }

  // MARK: Blocks

  private func block(at start: Int) -> FusedPattern? {
    let split = analysis.channelSplit(at: start).flatMap { $0.second == start + 1 ? $0 : nil }
    let first = split == nil ? start : start + 2
    guard first < network.nodes.count, let input = network.inputIndices[first].first,
      split == nil || input == start,
      let found = analysis.invertedResidual(
        at: first, isExpansion: Self.isPlain, isSpatial: { Self.branches($0) != nil }),
      var block = block(found, from: first)
    else { return nil }
    if let split { block.processedChannels = split.firstCount }
    var end = block.projectionNorm.node + 1
    if reads(end, [end - 1, input]), analysis.operation(end) == .add {
      block.hasResidual = true
      end += 1
    }
    if let split {
      guard end < network.nodes.count, network.inputIndices[end] == [end - 1, split.second],
        analysis.operation(end) == .concatenate
      else { return nil }
      end += 1
    }
    if reads(end, [end - 1]), case .channelShuffle(let groups) = analysis.operation(end) {
      block.shuffleGroups = groups
      end += 1
    }
    return FusedPattern(nodes: start..<end, kind: .block(block))
  }

  /// An inverted residual whose nodes are those from `first` on, with norms, activations and biases where
  /// the kernels have them.
  private func block(
    _ found: NetworkAnalysis.InvertedResidual, from first: Int
  ) -> FusedPattern.Block? {
    var spatial = first
    var expansion: (convolution: Int, norm: FusedPattern.Norm)?
    var channels: Int?
    let finished = finish(found.spatial)
    if let layer = found.expansion {
      guard let (norm, activation) = finish(layer), activation == finished?.activation,
        case .convolution(let convolution) = analysis.operation(first)
      else { return nil }
      (expansion, channels, spatial) = ((first, norm), convolution.inputChannels, first + 3)
    }
    guard found.spatial.node == spatial, let finished,
      let branches = Self.branches(analysis.operation(spatial))
    else { return nil }
    var next = spatial + 3
    if let excitation = found.excitation {
      guard excitation.nodes == Array(next..<next + 6),
        [excitation.reduce, excitation.expand].allSatisfy({ hasBias($0) })
      else { return nil }
      next += 6
    }
    guard let projection = found.projection, projection.node == next,
      case .convolution(let convolution) = analysis.operation(next), !convolution.hasBias,
      let projectionNorm = norm(projection)
    else { return nil }
    return FusedPattern.Block(
      processedChannels: channels ?? convolution.inputChannels, expansion: expansion,
      activation: finished.activation, spatial: spatial, branches: branches,
      spatialNorm: finished.norm, squeeze: found.excitation, projection: next,
      projectionNorm: projectionNorm)
  }

  /// Whether a node reads exactly these values, in any order.
  private func reads(_ index: Int, _ values: [Int]) -> Bool {
    index < network.nodes.count && network.inputIndices[index].sorted() == values.sorted()
  }

  private func hasBias(_ index: Int) -> Bool {
    if case .convolution(let convolution) = analysis.operation(index) {
      convolution.hasBias
    } else {
      false
    }
  }

  // MARK: What the kernels can do

  private static func isPlain(_ convolution: Convolution) -> Bool {
    convolution.isDensePointwise && !convolution.hasBias
  }

  private static func isSpatial(_ convolution: Convolution) -> Bool {
    convolution.inputChannels == convolution.outputChannels && !convolution.hasBias
      && convolution.dilation == 1 && convolution.kernelSize % 2 == 1
      && convolution.keepsGrid && convolution.stride <= 2
      && convolution.groupWidth <= 16 && convolution.groups > 1
  }

  /// The branches of a spatial convolution that the kernels know, nil for anything else.
  private static func branches(
    _ operation: MUXNetworks.Operation
  ) -> [BranchedConvolution.Branch]? {
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
  private static func isSpatialBranch(_ convolution: Convolution) -> Bool {
    var counted = convolution
    if convolution.inputChannels == 1 { counted.groups = 2 }
    return isSpatial(counted)
  }
}
