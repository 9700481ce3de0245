// SPDX-License-Identifier: Apache-2.0

extension NetworkAnalysis {
  /// Squeeze-and-excitation, by its nodes: global mean → 1×1 → activation → 1×1 → gate → product.
  package struct Excitation: Sendable, Hashable {
    /// The node that takes the mean of each channel.
    package var pool: Int
    /// The 1×1 convolution to fewer channels.
    package var reduce: Int
    /// What follows it, the identity if nothing does.
    package var activation: Activation
    /// The 1×1 convolution back to all channels.
    package var expand: Int
    /// What follows that, the identity if nothing does.
    package var gate: Activation
    /// The product with the value that was squeezed.
    package var multiply: Int
    /// All its nodes, in order.
    package var nodes: [Int]
  }

  /// The squeeze-and-excitation of a value that nothing else reads.
  package func excitation(of value: Int) -> Excitation? {
    let readers = readers(of: value)
    guard readers.count == 2, !isOutput(value),
      let pool = readers.first(where: { operation($0) == .globalAveragePool }),
      let reduce = soleReader(of: pool), isDensePointwise(reduce)
    else { return nil }
    let first = activation(after: reduce)
    guard let expand = soleReader(of: first?.node ?? reduce), isDensePointwise(expand) else {
      return nil
    }
    let second = activation(after: expand)
    guard let multiply = soleReader(of: second?.node ?? expand), operation(multiply) == .multiply,
      readers.contains(multiply), network.inputIndices[multiply][0] == value
    else { return nil }
    return Excitation(
      pool: pool, reduce: reduce, activation: first?.function ?? .identity, expand: expand,
      gate: second?.function ?? .identity, multiply: multiply,
      nodes: [pool, reduce, first?.node, expand, second?.node, multiply].compactMap(\.self))
  }

  /// Whether a node is a 1×1 convolution of all channels that keeps the grid.
  package func isDensePointwise(_ index: Int) -> Bool {
    guard case .convolution(let convolution) = operation(index) else { return false }
    return convolution.isDensePointwise
  }

  /// The dense 1×1 convolution that alone reads a value.
  package func projection(after value: Int) -> Int? {
    soleReader(of: value).flatMap { isDensePointwise($0) ? $0 : nil }
  }

  /// How a product gets its gate.
  package struct Gate: Sendable, Hashable {
    /// The global mean that the gate is computed from, nil if there is none.
    package var pool: Int?
    /// The nodes between the mean and the product, last first.
    package var nodes: [Int]
  }

  /// The gate of a product: what leads from a global mean to its second input. Nodes that `isKnown`
  /// names have been followed before.
  package func gate(of multiply: Int, isKnown: (Int) -> Bool = { _ in false }) -> Gate? {
    guard operation(multiply) == .multiply else { return nil }
    var gate = Gate(pool: nil, nodes: [])
    var position = network.inputIndices[multiply][1]
    while position >= 0, !isKnown(position) {
      if operation(position) == .globalAveragePool {
        gate.pool = position
        break
      }
      gate.nodes.append(position)
      position = network.inputIndices[position][0]
    }
    return gate
  }
}

extension Convolution {
  /// Whether this is a dense 1×1 convolution that keeps the grid.
  package var isDensePointwise: Bool { isPointwise && stride == 1 && padding == 0 }
}
