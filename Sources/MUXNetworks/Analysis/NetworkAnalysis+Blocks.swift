// SPDX-License-Identifier: Apache-2.0

extension NetworkAnalysis {
  /// A layer with the batch norms, dropouts and the activation after it.
  package struct Layer: Sendable, Hashable {
    /// The layer's node.
    package var node: Int
    /// What follows it.
    package var chain: Chain

    /// A layer with its chain.
    package init(node: Int, chain: Chain) {
      self.node = node
      self.chain = chain
    }
  }

  /// An inverted residual, by its nodes: [1×1 expansion,] convolution over space,
  /// [squeeze-and-excitation,] [1×1 projection], each alone in reading the one before it.
  ///
  /// What is done with the result (a residual sum, say) is for the readers to look at: they differ in
  /// what they take in.
  package struct InvertedResidual: Sendable, Hashable {
    /// The expansion; nil where the convolution over space comes first.
    package var expansion: Layer?
    /// The convolution over space, plain or of several branches.
    package var spatial: Layer
    /// Squeeze-and-excitation, if a projection follows it.
    package var excitation: Excitation?
    package var projection: Layer?
  }

  /// A layer and the chain after it.
  package func layer(at node: Int) -> Layer { Layer(node: node, chain: chain(after: node)) }

  /// The inverted residual that begins with a node.
  ///
  /// - Parameters:
  ///   - start: The expansion, or the convolution over space where there is none.
  ///   - isExpansion: Whether the reader takes a convolution as an expansion.
  ///   - isSpatial: Whether the reader takes an operation as a convolution over space.
  package func invertedResidual(
    at start: Int, isExpansion: (Convolution) -> Bool, isSpatial: (Operation) -> Bool
  ) -> InvertedResidual? {
    if isSpatial(operation(start)) { return separable(at: start) }
    guard case .convolution(let convolution) = operation(start), isExpansion(convolution) else {
      return nil
    }
    let expansion = layer(at: start)
    guard let next = soleReader(of: expansion.chain.end), isSpatial(operation(next)) else {
      return nil
    }
    return separable(at: next, after: expansion)
  }

  /// An inverted residual from its convolution over space on.
  package func separable(at spatial: Int, after expansion: Layer? = nil) -> InvertedResidual {
    var block = InvertedResidual(expansion: expansion, spatial: layer(at: spatial))
    let end = block.spatial.chain.end
    let excitation = excitation(of: end)
    if let projection = projection(after: excitation?.multiply ?? end) {
      block.excitation = excitation
      block.projection = layer(at: projection)
    }
    return block
  }

  // MARK: Channel multiplexing

  /// Two slices of a value that divide its channels: some are worked on, the others pass by (paper,
  /// section 3.2).
  package struct ChannelSplit: Sendable, Hashable {
    /// The node with the first channels, and how many they are.
    package var first: Int, firstCount: Int
    /// The node with those behind them, and how many they are.
    package var second: Int, secondCount: Int
  }

  /// The split whose first slice is a node.
  package func channelSplit(at node: Int) -> ChannelSplit? {
    guard case .slice(let first) = operation(node), first.start == 0,
      let second = slice(of: network.inputIndices[node][0], from: first.count)
    else { return nil }
    return ChannelSplit(
      first: node, firstCount: first.count, second: second.node, secondCount: second.slice.count)
  }
}
