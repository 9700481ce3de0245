// SPDX-License-Identifier: Apache-2.0

extension Network {
  /// The convolutions between a global pool and the gate of a product: squeeze-and-excitation.
  var squeezeExcitationNodes: Set<Int> {
    var found: Set<Int> = []
    for (index, node) in nodes.enumerated() {
      guard case .multiply = node.operation else { continue }
      var position = inputIndices[index][1]
      while position >= 0 {
        if case .globalAveragePool = nodes[position].operation { break }
        // What was found before has been followed to its pool.
        guard found.insert(position).inserted else { break }
        position = inputIndices[position][0]
      }
    }
    return found
  }

  /// The most elements alive at once when nodes run in order. Element-wise layers run in place;
  /// slices are views.
  func peakElements(shapes: [Shape], input: Shape) -> Int {
    var storage = [Int](repeating: -1, count: nodes.count)
    for index in nodes.indices {
      storage[index] = nodes[index].operation.isView ? root(inputIndices[index][0], storage) : index
    }
    var lastUse: [Int: Int] = [:]
    for index in nodes.indices {
      for source in inputIndices[index] { lastUse[root(source, storage)] = index }
    }
    for output in outputIndices { lastUse[storage[output]] = nodes.count }
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
