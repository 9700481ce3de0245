// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension Network {
  /// The output shape of each node for images of `inputSize`.
  ///
  /// - Throws: ``NetworkError/shape(layer:reason:)`` naming the first layer that cannot run.
  public func shapes(inputSize: ImageSize? = nil) throws(NetworkError) -> [Shape] {
    guard let inputSize, inputSize != self.inputSize else { return ownShapes }
    return try Self.shapes(
      of: nodes, inputIndices, inputChannels: inputChannels, inputSize: inputSize)
  }

  /// Checks that each layer can run: its channels, the sizes of images, and ``Limits``.
  static func shapes(
    of nodes: [Node], _ inputIndices: [[Int]], inputChannels: Int, inputSize size: ImageSize
  ) throws(NetworkError) -> [Shape] {
    guard size.height > 0, size.width > 0 else {
      throw .shape(layer: Self.inputName, reason: "the input size \(size) is empty")
    }
    guard inputChannels > 0 else {
      throw .shape(layer: Self.inputName, reason: "images need channels, not \(inputChannels)")
    }
    let input = Shape(channels: inputChannels, height: size.height, width: size.width)
    guard input.isWithinLimits else {
      throw .shape(layer: Self.inputName, reason: "\(input) is more than an image can have")
    }
    var channels = inputChannels
    var shapes: [Shape] = []
    shapes.reserveCapacity(nodes.count)
    for (node, indices) in zip(nodes, inputIndices) {
      let sources = indices.map { $0 < 0 ? input : shapes[$0] }
      let shape = try node.shape(from: sources)
      guard shape.height > 0, shape.width > 0 else {
        throw .shape(
          layer: node.name,
          reason: "an input of \(size) pixels is too small for the strides before it;"
            + " use larger images or a smaller output stride")
      }
      guard shape.isWithinLimits, node.operation.canRun(from: sources[0], to: shape) else {
        throw .shape(layer: node.name, reason: "its output \(shape) is too large")
      }
      channels += shape.channels
      guard channels <= Limits.channels else {
        throw .shape(
          layer: node.name,
          reason: "the network has more than \(Limits.channels) channels in all its layers")
      }
      shapes.append(shape)
    }
    return shapes
  }
}

extension Operation {
  /// Whether the multiply-adds stay within bounds.
  fileprivate func canRun(from input: Shape, to output: Shape) -> Bool {
    rules.windows.allSatisfy { convolution, factor in
      // Inside a multiplexed branch the grid is at most `factor` times as wide, rounded up.
      let height = max(output.height, (input.height + factor) * factor)
      let width = max(output.width, (input.width + factor) * factor)
      return Limits.holdsProduct(
        convolution.weightShape + [height, width], below: Limits.multiplyAdds)
    }
  }
}
