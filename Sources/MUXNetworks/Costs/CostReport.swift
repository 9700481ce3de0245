// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What a network costs on one image: parameters, multiply-adds, activations, memory.
///
/// The convention is printed with the numbers: multiply-adds count convolutions and linear layers
/// (without biases, batch norms, activations, sums and pools). The paper's counter adds the products
/// of the squeeze-and-excitation gates and the outputs of the global pools; that count reproduces
/// the figures that the paper prints.
public struct CostReport: Sendable, Hashable, Codable {
  /// The convention of ``multiplyAdds`` in words.
  public static let convention =
    "multiply-adds count convolutions and linear layers; the paper's count adds gate products"
    + " and global pools"

  /// The model's name.
  public var model: String
  /// The height and width that the costs are for.
  public var inputSize: ImageSize
  /// The layers in order.
  public var layers: [LayerCost]
  /// The sum of the outputs' elements of convolutions and linear layers.
  public var activations: Int
  /// The most bytes that activations need at once for one image in 32-bit floats, if each layer
  /// keeps its inputs until its output is written and frees what nobody needs later.
  public var peakActivationBytes: Int

  /// Learnable scalars.
  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// Multiply-adds of convolutions and linear layers.
  public var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }
  /// Multiply-adds by the paper's counter.
  public var paperMultiplyAdds: Int {
    layers.reduce(0) { $0 + $1.multiplyAdds + $1.extraMultiplyAdds }
  }

  /// The costs of `network` at an image size.
  ///
  /// - Throws: ``NetworkError/shape(layer:reason:)`` if the images are too small.
  public init(_ network: Network, inputSize: ImageSize? = nil) throws(NetworkError) {
    let analysis = try NetworkAnalysis(network, inputSize: inputSize)
    model = network.name
    self.inputSize = inputSize ?? network.inputSize
    let gates = analysis.gateNodes
    var blockNames = [String](repeating: "", count: network.nodes.count)
    for block in network.blocks {
      for index in block.nodes { blockNames[index] = block.name }
    }
    layers = network.nodes.indices.flatMap { index in
      network.nodes[index].costs(
        input: analysis.shape(network.inputIndices[index][0]), output: analysis.shapes[index],
        isGate: gates.contains(index), block: blockNames[index])
    }
    activations = layers.reduce(0) {
      $0 + ($1.kind == .other || $1.kind == .batchNormalization ? 0 : $1.outputShape.count)
    }
    peakActivationBytes = analysis.peakElements * 4
  }

  /// The costs summed over each block, in order; layers outside of blocks under an empty name.
  public var blocks: [BlockCost] {
    var blocks: [BlockCost] = []
    for layer in layers {
      if blocks.last?.name != layer.block {
        blocks.append(
          BlockCost(
            name: layer.block, outputShape: layer.outputShape, parameters: 0, multiplyAdds: 0))
      }
      let last = blocks.count - 1
      blocks[last].outputShape = layer.outputShape
      blocks[last].parameters += layer.parameters
      blocks[last].multiplyAdds += layer.multiplyAdds
    }
    return blocks
  }

  /// The share of each kind in the parameters and multiply-adds of convolutions and linear layers
  /// (the paper's figure 2), from 0 to 1.
  public var shares: [KindShare] {
    let counted = layers.filter { $0.kind != .batchNormalization && $0.kind != .other }
    let parameters = Double(counted.reduce(0) { $0 + $1.parameters })
    let multiplyAdds = Double(counted.reduce(0) { $0 + $1.multiplyAdds })
    return LayerKind.allCases.filter { $0 != .batchNormalization && $0 != .other }.map { kind in
      let own = counted.filter { $0.kind == kind }
      return KindShare(
        kind: kind,
        parameters: Double(own.reduce(0) { $0 + $1.parameters }) / max(parameters, 1),
        multiplyAdds: Double(own.reduce(0) { $0 + $1.multiplyAdds }) / max(multiplyAdds, 1))
    }
  }
}

/// What one block costs on one image.
public struct BlockCost: Sendable, Hashable, Codable {
  /// The block's name.
  public var name: String
  /// Its output.
  public var outputShape: Shape
  /// Learnable scalars.
  public var parameters: Int
  /// Multiply-adds of convolutions and linear layers.
  public var multiplyAdds: Int
}

/// The share of a kind of layer in a network, from 0 to 1.
public struct KindShare: Sendable, Hashable, Codable {
  /// The layers that are summed.
  public var kind: LayerKind
  /// Of the parameters of convolutions and linear layers.
  public var parameters: Double
  /// The share of the multiply-adds, 0 … 1.
  public var multiplyAdds: Double
}
