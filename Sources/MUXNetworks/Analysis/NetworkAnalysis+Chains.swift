// SPDX-License-Identifier: Apache-2.0

extension NetworkAnalysis {
  /// What follows a layer and can be done together with it: batch norms, then an activation, with
  /// dropouts (which do nothing at inference) between them.
  package struct Chain: Sendable, Hashable {
    /// The batch norms, in order.
    package var norms: [Int] = []
    /// The activation, the identity if there is none.
    package var activation = Activation.identity
    /// All nodes after the layer, in order.
    package var nodes: [Int] = []
    /// The node whose value the chain gives: the last of its nodes, or the layer.
    package var end: Int
  }

  /// The chain after a layer: each node alone reads the one before it.
  package func chain(after layer: Int) -> Chain {
    var chain = Chain(end: layer)
    while let next = soleReader(of: chain.end) {
      let operation = operation(next)
      if case .batchNormalization = operation, chain.activation == .identity {
        chain.norms.append(next)
      } else if case .activation(let activation) = operation, chain.activation == .identity {
        chain.activation = activation
      } else if !operation.isTransparent {
        return chain
      }
      chain.nodes.append(next)
      chain.end = next
    }
    return chain
  }

  /// The activation that alone reads a value, with its node.
  package func activation(after value: Int) -> (node: Int, function: Activation)? {
    guard let next = soleReader(of: value), case .activation(let function) = operation(next) else {
      return nil
    }
    return (next, function)
  }

  /// The batch norm that alone reads a value, with its node.
  package func norm(after value: Int) -> (node: Int, norm: BatchNormalization)? {
    guard let next = soleReader(of: value), case .batchNormalization(let norm) = operation(next)
    else { return nil }
    return (next, norm)
  }
}
