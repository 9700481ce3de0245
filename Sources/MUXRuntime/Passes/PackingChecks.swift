// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks
internal import MUXWeights

/// Channels whose weights are so small that 8 bits compute them as 0.
package struct VanishingChannels: Sendable, Hashable {
  /// The tensor that holds their weights.
  package var tensor: String
  /// How many they are.
  package var count: Int

  /// Channels of a tensor.
  package init(tensor: String, count: Int) {
    self.tensor = tensor
    self.count = count
  }
}

/// What packing lost, by the names of tensors.
struct PackingChecks {
  let network: Network
  let weights: LayerWeights
  let source: PackedWeightSource
  let precision: Precision

  /// Makes sure that all weights that were packed are finite.
  ///
  /// - Throws: `TensorValueError` with the tensor that is not.
  func check() throws(TensorValueError) {
    guard let overflow = source.overflow else { return }
    throw TensorValueError(
      path: weights.path, tensor: tensor(overflow.layer, overflow.use),
      reason: .packing(precision: precision.rawValue))
  }

  /// The channels that packing has made 0, by tensor.
  var vanishingChannels: [VanishingChannels] {
    var counts: [String: Int] = [:]
    for entry in source.vanished {
      counts[tensor(entry.layer, entry.use), default: 0] += entry.channels
    }
    return counts.sorted { $0.key < $1.key }.map {
      VanishingChannels(tensor: $0.key, count: $0.value)
    }
  }

  /// The weight that a step has packed: steps are named after the layer that they end with, and
  /// expansions belong to the spatial convolution after them.
  private func tensor(_ layer: String, _ use: String) -> String {
    let suffix = ParameterSpecification.Role.convolutionWeight.suffix
    guard var index = network.index(ofNode: layer) else {
      return "\(layer).\(suffix)"
    }
    if use.hasPrefix("expansion") { index = network.inputIndices[index][0] }
    while index >= 0 {
      let node = network.nodes[index]
      switch node.operation {
      case .convolution, .linear: return "\(node.name).\(suffix)"
      case .branchedConvolution(let branched):
        let names = branched.branches.map { "\(node.name).\($0.name)" }
        func greatest(_ name: String) -> Float {
          weights.weight(name).reduce(0) { max($0, abs($1)) }
        }
        let name = names.max { greatest($0) < greatest($1) } ?? node.name
        return "\(name).\(suffix)"
      case .batchNormalization, .l2Normalization, .activation, .add, .multiply, .concatenate,
        .slice, .channelShuffle, .pool, .globalAveragePool, .adaptiveAveragePool, .pad, .flatten,
        .dropout, .dropPath:
        index = network.inputIndices[index].first ?? -1
      }
    }
    return "\(layer).\(suffix)"
  }
}
