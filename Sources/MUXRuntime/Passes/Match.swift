// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// Nodes of a network that are computed together.
struct Match: Hashable, Sendable {
  enum Pattern: Hashable, Sendable {
    /// [Expansion,] spatial convolution, [squeeze-and-excitation,] [projection,] [sum].
    case block(Block)
    /// A convolution with what can be done at its end.
    case convolution(Sum?, isPooled: Bool)
    /// Parallel convolutions that are no part of a block.
    case branches
    /// A fully connected layer, a batch norm: with the activation after it.
    case linear
    case norm(Activation)
    /// An operation on its own.
    case single
    /// Another list of channels; no step.
    case selection
  }

  typealias Layer = NetworkAnalysis.Layer

  struct Block: Hashable, Sendable {
    var expansion: Layer?
    var spatial: Layer
    var excitation: NetworkAnalysis.Excitation?
    var projection: Layer?
    /// The node that adds what the expansion made to the result, if that is kept for it.
    var keptSum: Int?
    var sum: Sum?
  }

  /// A value that is added after a layer.
  struct Sum: Hashable, Sendable {
    var node: Int
    var addend: Int
    var activation = Activation.identity
    /// Whether the result may lie over the addend: nobody reads that later.
    var isOverwriting = false
  }

  /// The first of the nodes.
  var node: Int
  var pattern: Pattern
  /// What follows the node, if it is a layer on its own.
  var chain: NetworkAnalysis.Chain?
  /// The node whose value the match gives.
  var end: Int
}

/// The first pass: which nodes become one or two steps.
struct Matcher {
  let analysis: NetworkAnalysis
  private let liveness: ChannelLiveness
  private var isDone: [Bool]
  /// Whether a value is there before what follows.
  private var isGiven: [Bool]
  private var matches: [Match] = []

  static func match(_ analysis: NetworkAnalysis) -> [Match] {
    var matcher = Matcher(analysis)
    for node in analysis.network.nodes.indices where !matcher.isDone[node] {
      let match = matcher.match(node)
      matcher.isGiven[match.end] = true
      matcher.matches.append(match)
    }
    return matcher.matches
  }

  private init(_ analysis: NetworkAnalysis) {
    self.analysis = analysis
    liveness = ChannelLiveness(analysis)
    isDone = Array(repeating: false, count: analysis.network.nodes.count)
    isGiven = isDone
  }

  private mutating func match(_ node: Int) -> Match {
    isDone[node] = true
    var match = Match(node: node, pattern: .single, end: node)
    switch analysis.operation(node) {
    case .convolution(let convolution):
      if let (block, end) = block(node) {
        (match.pattern, match.end) = (.block(block), end)
      } else {
        match = self.convolution(convolution, node)
      }
    case .branchedConvolution:
      if let (block, end) = block(node) {
        (match.pattern, match.end) = (.block(block), end)
      } else {
        match.pattern = .branches
      }
    case .linear:
      let layer = analysis.layer(at: node)
      take(layer)
      match = Match(node: node, pattern: .linear, chain: layer.chain, end: layer.chain.end)
    case .batchNormalization:
      let following = analysis.activation(after: node)
      if let following {
        isDone[following.node] = true
        match.end = following.node
      }
      match.pattern = .norm(following?.function ?? .identity)
    case .concatenate, .slice, .channelShuffle, .dropout, .dropPath:
      match.pattern = .selection
    case .l2Normalization, .activation, .add, .multiply, .flatten, .globalAveragePool, .pool,
      .adaptiveAveragePool, .pad:
      break
    }
    return match
  }

  // MARK: Convolutions

  private mutating func convolution(_ convolution: Convolution, _ node: Int) -> Match {
    let layer = analysis.layer(at: node)
    take(layer)
    var match = Match(
      node: node, pattern: .convolution(nil, isPooled: false), chain: layer.chain,
      end: layer.chain.end)
    let shape = analysis.shape(node)
    if let (sum, end) = takeSum(from: node, after: layer.chain.end) {
      (match.pattern, match.end) = (.convolution(sum, isPooled: false), end)
    } else if convolution.isDensePointwise, shape.height * shape.width > 1,
      let next = analysis.soleReader(of: match.end),
      case .globalAveragePool = analysis.operation(next)
    {
      isDone[next] = true
      (match.pattern, match.end) = (.convolution(nil, isPooled: true), next)
    }
    return match
  }

  /// Takes in a layer with the batch norms and the activation after it.
  private mutating func take(_ layer: Match.Layer?) {
    guard let layer else { return }
    for node in [layer.node] + layer.chain.nodes { isDone[node] = true }
  }

  /// Takes in the sum after the node `end` of a chain from `start`, and the activation after it.
  private mutating func takeSum(from start: Int, after end: Int) -> (Match.Sum, end: Int)? {
    guard let node = analysis.soleReader(of: end), analysis.operation(node) == .add else {
      return nil
    }
    let inputs = analysis.network.inputIndices[node]
    let addend = inputs[0] == end ? inputs[1] : inputs[0]
    guard addend != end, addend < 0 || isGiven[addend] else { return nil }
    isDone[node] = true
    var sum = Match.Sum(node: node, addend: addend)
    var last = node
    if let next = analysis.activation(after: node) {
      sum.activation = next.function
      last = next.node
      isDone[last] = true
    }
    // Nothing that runs later, or that is skipped over by fusing, may still want the planes.
    let isIsolated = (start...last).allSatisfy {
      isDone[$0] || analysis.operation($0).selection != nil
    }
    sum.isOverwriting = isIsolated && liveness.isLastUse(of: addend, by: node)
    return (sum, last)
  }

  // MARK: Blocks

  /// The inverted residual from `start` on, with the residual sum and the node that they end with; nil if
  /// the network has something else there.
  private mutating func block(_ start: Int) -> (Match.Block, end: Int)? {
    guard let (found, keptSum) = invertedResidual(start) else { return nil }
    var block = Match.Block(
      expansion: found.expansion, spatial: found.spatial, excitation: found.excitation,
      projection: found.projection)
    for layer in [found.expansion, found.spatial, found.projection] { take(layer) }
    for node in found.excitation?.nodes ?? [] { isDone[node] = true }
    guard let projection = found.projection else { return (block, found.spatial.chain.end) }
    if let keptSum {
      block.keptSum = keptSum
      isDone[keptSum] = true
      return (block, keptSum)
    }
    guard let (sum, last) = takeSum(from: start, after: projection.chain.end) else {
      return (block, projection.chain.end)
    }
    block.sum = sum
    return (block, last)
  }

  /// The inverted residual from `start` on. A stem counts as an expansion; windows over many channels are
  /// better gathered once, by a step of their own.
  ///
  /// `keptSum` is the node that adds what the expansion made to the block's result, if the expansion is
  /// to be kept for it: as in MUXNet's stem and first block.
  private func invertedResidual(
    _ start: Int
  ) -> (block: NetworkAnalysis.InvertedResidual, keptSum: Int?)? {
    func isExpansion(_ convolution: Convolution) -> Bool {
      convolution.groups == 1
        && (convolution.isDensePointwise || convolution.inputChannels <= 4)
    }
    if let found = analysis.invertedResidual(
      at: start, isExpansion: isExpansion, isSpatial: SpatialBranch.suits)
    {
      return (found, nil)
    }
    guard case .convolution(let convolution) = analysis.operation(start), isExpansion(convolution)
    else { return nil }
    return kept(convolution, analysis.layer(at: start))
  }

  /// The block of the plain depthwise convolution that reads an expansion, and the sum to which the
  /// expansion is added again after the projection; nil if something else reads it, too.
  private func kept(
    _ convolution: Convolution, _ expansion: Match.Layer
  ) -> (block: NetworkAnalysis.InvertedResidual, keptSum: Int?)? {
    let last = expansion.chain.end
    let readers = analysis.readers(of: last), shape = analysis.shape(last)
    guard readers.count == 2, last != analysis.network.nodes.count - 1,
      let spatial = readers.first(where: { SpatialBranch.suits(analysis.operation($0)) }),
      case .convolution(let depthwise) = analysis.operation(spatial),
      depthwise.groups == convolution.outputChannels,
      depthwise.outputChannels == depthwise.groups,
      let sum = readers.first(where: { $0 != spatial }), analysis.operation(sum) == .add,
      analysis.shape(spatial).height == shape.height,
      analysis.shape(spatial).width == shape.width, depthwise.stride == 1
    else { return nil }
    let block = analysis.separable(at: spatial, after: expansion)
    guard let projected = block.projection?.chain, projected.activation == .identity,
      analysis.soleReader(of: projected.end) == sum, analysis.activation(after: sum) == nil
    else { return nil }
    return (block, sum)
  }
}
