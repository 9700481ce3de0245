// SPDX-License-Identifier: Apache-2.0

extension NetworkAnalysis {
  /// The layers between a global mean and the gate of a product: squeeze-and-excitation.
  var gateNodes: Set<Int> {
    var found: Set<Int> = []
    for index in network.nodes.indices {
      // What was found before has been followed to its mean.
      if let gate = gate(of: index, isKnown: { found.contains($0) }) { found.formUnion(gate.nodes) }
    }
    return found
  }

  /// The most elements alive at once when nodes run in order. Element-wise layers run in place;
  /// slices are views.
  var peakElements: Int {
    let (nodes, inputIndices) = (network.nodes, network.inputIndices)
    var storage = [Int](repeating: -1, count: nodes.count)
    for index in nodes.indices {
      storage[index] = nodes[index].operation.isView ? root(inputIndices[index][0], storage) : index
    }
    var lastUse: [Int: Int] = [:]
    for index in nodes.indices {
      for source in inputIndices[index] { lastUse[root(source, storage)] = index }
    }
    for output in network.outputIndices { lastUse[storage[output]] = nodes.count }
    var released = [Int](repeating: 0, count: nodes.count)
    for (value, last) in lastUse where last < nodes.count {
      released[last] += value < 0 ? input.count : shapes[value].count
    }
    var alive = input.count
    var peak = alive
    for index in nodes.indices {
      if storage[index] == index { alive += shapes[index].count }
      peak = max(peak, alive)
      alive -= released[index]
    }
    return peak
  }

  private func root(_ index: Int, _ storage: [Int]) -> Int {
    index < 0 ? index : storage[index]
  }
}

extension Operation {
  /// Whether the output shares the memory of the first input at inference.
  fileprivate var isView: Bool {
    switch rules.effect {
    case .elementwise, .reshapes, .selects(.all), .selects(.range): true
    case .computes, .selects(.joined), .selects(.shuffled): false
    }
  }
}

extension Node {
  func costs(input: Shape, output: Shape, isGate: Bool, block: String) -> [LayerCost] {
    operation.rules.costs(input: input, output: output).map { cost in
      LayerCost(
        name: cost.branch.map { "\(name).\($0)" } ?? name, block: block, operation: operation.type,
        kind: isGate && cost.branch == nil && cost.kind.isConvolution
          ? .squeezeExcitation : cost.kind,
        outputShape: cost.output, parameters: cost.parameters, multiplyAdds: cost.multiplyAdds,
        extraMultiplyAdds: cost.extraMultiplyAdds)
    }
  }
}

extension LayerKind {
  fileprivate var isConvolution: Bool {
    switch self {
    case .standardConvolution, .pointwiseConvolution, .depthwiseConvolution, .groupConvolution:
      true
    case .squeezeExcitation, .linear, .batchNormalization, .other: false
    }
  }
}
