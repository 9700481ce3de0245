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
        found.insert(position)
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
    var alive = input.count
    var peak = alive
    for index in nodes.indices {
      if storage[index] == index { alive += shapes[index].count }
      peak = max(peak, alive)
      for (value, last) in lastUse where last == index {
        alive -= value < 0 ? input.count : shapes[value].count
      }
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
    switch self {
    case .activation, .batchNormalization, .dropout, .dropPath, .flatten, .slice, .add, .multiply:
      true
    default: false
    }
  }
}

extension Convolution {
  /// Multiply-adds for an output of h×w positions: C′ · (C / groups) · k² · h · w.
  func multiplyAdds(height: Int, width: Int) -> Int {
    outputChannels * (inputChannels / groups) * kernelSize * kernelSize * height * width
  }

  /// The number of learnable scalars.
  public var parameterCount: Int {
    weightShape.reduce(1, *) + (hasBias ? outputChannels : 0)
  }

  fileprivate var kind: LayerKind {
    if isDepthwise { return .depthwiseConvolution }
    if groups > 1 { return .groupConvolution }
    return kernelSize == 1 ? .pointwiseConvolution : .standardConvolution
  }
}

extension Node {
  func costs(input: Shape, output: Shape, isGate: Bool, block: String) -> [LayerCost] {
    func cost(
      _ kind: LayerKind, name: String? = nil, shape: Shape? = nil, parameters: Int = 0,
      multiplyAdds: Int = 0, extra: Int = 0
    ) -> LayerCost {
      LayerCost(
        name: name ?? self.name, block: block, operation: operation.type, kind: kind,
        outputShape: shape ?? output, parameters: parameters, multiplyAdds: multiplyAdds,
        extraMultiplyAdds: extra)
    }
    switch operation {
    case .convolution(let convolution):
      return [
        cost(
          isGate ? .squeezeExcitation : convolution.kind, parameters: convolution.parameterCount,
          multiplyAdds: convolution.multiplyAdds(height: output.height, width: output.width))
      ]
    case .branchedConvolution(let branched):
      return branched.branches.map { branch in
        let inner = branch.convolution
        let height = inner.outputSize(branch.innerSize(input.height))
        let width = inner.outputSize(branch.innerSize(input.width))
        return cost(
          inner.kind, name: "\(name).\(branch.name)",
          shape: Shape(
            channels: branch.outputChannels, height: output.height, width: output.width),
          parameters: inner.parameterCount,
          multiplyAdds: inner.multiplyAdds(height: height, width: width))
      }
    case .batchNormalization(let norm):
      return [cost(.batchNormalization, parameters: 2 * norm.channels)]
    case .l2Normalization(let norm): return [cost(.other, parameters: norm.channels)]
    case .linear(let linear):
      let products = linear.inputFeatures * linear.outputFeatures
      return [
        cost(
          .linear, parameters: products + (linear.hasBias ? linear.outputFeatures : 0),
          multiplyAdds: products)
      ]
    case .multiply: return [cost(.other, extra: output.count)]
    case .globalAveragePool: return [cost(.other, extra: output.count)]
    default: return [cost(.other)]
    }
  }
}
