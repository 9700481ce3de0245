// SPDX-License-Identifier: Apache-2.0

extension Network {
  /// The part of the network that computes the value of a layer or block: that node, which becomes
  /// the output, and all that it depends on. Names stay as they are; blocks that are not whole any
  /// more are left out.
  ///
  /// - Throws: ``NetworkError/unknownLayer(name:network:nearest:)``.
  public func cut(atLayer layer: String) throws(NetworkError) -> Network {
    let last = try index(ofLayer: layer)
    var isNeeded = Array(repeating: false, count: last + 1)
    isNeeded[last] = true
    for index in (0...last).reversed() where isNeeded[index] {
      for input in inputIndices[index] where input >= 0 { isNeeded[input] = true }
    }
    let kept = (0...last).filter { isNeeded[$0] }
    let positions = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    let whole = blocks.compactMap { block -> Block? in
      guard let first = positions[block.nodes.lowerBound],
        block.nodes.allSatisfy({ positions[$0] != nil })
      else { return nil }
      return Block(
        name: block.name, summary: block.summary, nodes: first..<first + block.nodes.count)
    }
    return try Network(
      name: name, inputChannels: inputChannels, inputSize: inputSize, nodes: kept.map { nodes[$0] },
      blocks: whole, initialization: initialization)
  }

  /// Whether the (first) output is features [N, K] rather than images [N, C, H, W].
  package var hasFlatOutput: Bool {
    isFlat(outputIndices[0])
  }

  /// Whether the value of a node is features [N, K] rather than images [N, C, H, W].
  package func isFlat(_ node: Int) -> Bool { node >= 0 && flatness[node] }

  /// The same for all nodes: what an operation does not decide is as in its first input.
  static func flatness(of nodes: [Node], _ inputIndices: [[Int]]) -> [Bool] {
    var found: [Bool] = []
    found.reserveCapacity(nodes.count)
    for (node, inputs) in zip(nodes, inputIndices) {
      found.append(node.operation.rules.isFlat ?? (inputs[0] >= 0 && found[inputs[0]]))
    }
    return found
  }
}
