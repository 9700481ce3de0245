// SPDX-License-Identifier: Apache-2.0

extension Network {
  /// The output shape of each node for images of `inputSize`.
  ///
  /// - Throws: ``NetworkError/shape(layer:reason:)`` naming the first layer that cannot run.
  public func shapes(inputSize: ImageSize? = nil) throws(NetworkError) -> [Shape] {
    let size = inputSize ?? self.inputSize
    guard size.height > 0, size.width > 0 else {
      throw .shape(layer: Self.inputName, reason: "the input size \(size) is empty")
    }
    let input = Shape(channels: inputChannels, height: size.height, width: size.width)
    guard input.isWithinLimits else {
      throw .shape(layer: Self.inputName, reason: "\(input) is more than an image can have")
    }
    var shapes: [Shape] = []
    shapes.reserveCapacity(nodes.count)
    for (node, indices) in zip(nodes, inputIndices) {
      let shape = try node.shape(from: indices.map { $0 < 0 ? input : shapes[$0] })
      guard shape.height > 0, shape.width > 0 else {
        throw .shape(
          layer: node.name,
          reason: "an input of \(size) pixels is too small for the strides before it;"
            + " use larger images or a smaller output stride")
      }
      guard shape.isWithinLimits else {
        throw .shape(layer: node.name, reason: "its output \(shape) is too large")
      }
      shapes.append(shape)
    }
    return shapes
  }

  /// Checks the channels (and that a linear layer follows a pool) at the network's own input size.
  func checkChannels() throws(NetworkError) {
    _ = try shapes()
  }
}

extension Node {
  /// The shape that the node gives for its inputs' shapes; its height or width may be 0.
  func shape(from inputs: [Shape]) throws(NetworkError) -> Shape {
    let input = inputs[0]
    switch operation {
    case .convolution(let convolution):
      try expect(input.channels, toBe: convolution.inputChannels)
      return Shape(
        channels: convolution.outputChannels, height: convolution.outputSize(input.height),
        width: convolution.outputSize(input.width))
    case .branchedConvolution(let branched):
      try expect(input.channels, toBe: branched.inputChannels)
      let sizes = Set(
        branched.branches.map {
          Shape(
            channels: branched.outputChannels, height: $0.outputSize(input.height),
            width: $0.outputSize(input.width))
        })
      guard let shape = sizes.first, sizes.count == 1 else {
        throw .shape(layer: name, reason: "its branches give images of different sizes")
      }
      return shape
    case .batchNormalization(let norm):
      try expect(input.channels, toBe: norm.channels)
      return input
    case .l2Normalization(let norm):
      try expect(input.channels, toBe: norm.channels)
      return input
    case .linear(let linear):
      guard input.height == 1, input.width == 1 else {
        throw .shape(layer: name, reason: "a linear layer needs features, not \(input); pool first")
      }
      try expect(input.channels, toBe: linear.inputFeatures)
      return Shape(channels: linear.outputFeatures)
    case .add:
      guard inputs[0] == inputs[1] else {
        throw .shape(layer: name, reason: "\(inputs[0]) and \(inputs[1]) cannot be added")
      }
      return input
    case .multiply:
      let gate = Shape(channels: input.channels)
      guard inputs[1] == gate || inputs[1] == input else {
        throw .shape(layer: name, reason: "\(inputs[1]) is no gate for \(input)")
      }
      return input
    case .concatenate:
      guard inputs.allSatisfy({ $0.height == input.height && $0.width == input.width }) else {
        throw .shape(layer: name, reason: "images of different sizes cannot be concatenated")
      }
      return Shape(
        channels: inputs.reduce(0) { $0 + $1.channels }, height: input.height, width: input.width)
    case .slice(let slice):
      guard slice.start + slice.count <= input.channels else {
        throw .shape(
          layer: name,
          reason: "channels \(slice.start)..<\(slice.start + slice.count) of \(input.channels)")
      }
      return Shape(channels: slice.count, height: input.height, width: input.width)
    case .channelShuffle(let groups):
      guard input.channels % groups == 0 else {
        throw .shape(
          layer: name,
          reason: "\(input.channels) channels cannot be shuffled in \(groups) groups")
      }
      return input
    case .pool(let pool):
      return Shape(
        channels: input.channels, height: pool.outputSize(input.height),
        width: pool.outputSize(input.width))
    case .globalAveragePool: return Shape(channels: input.channels)
    case .adaptiveAveragePool(let size):
      return Shape(channels: input.channels, height: size.height, width: size.width)
    case .pad(let padding):
      return Shape(
        channels: input.channels, height: max(0, input.height + padding.top + padding.bottom),
        width: max(0, input.width + padding.left + padding.right))
    case .flatten: return Shape(channels: input.count)
    case .activation, .dropout, .dropPath: return input
    }
  }

  private func expect(_ channels: Int, toBe expected: Int) throws(NetworkError) {
    guard channels == expected else {
      throw .shape(layer: name, reason: "it takes \(expected) channels but gets \(channels)")
    }
  }
}

extension Pooling {
  func outputSize(_ size: Int) -> Int {
    let span = size + 2 * padding - kernelSize
    return span < 0 ? 0 : span / stride + 1
  }
}
