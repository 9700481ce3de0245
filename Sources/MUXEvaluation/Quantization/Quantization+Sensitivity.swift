// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
public import MUXRuntime
import MUXVision
import MUXWeights

extension Quantization {
  /// What a block loses when it alone has a reduced precision.
  public struct BlockLoss: Codable, Hashable, Sendable {
    /// The block, or the layer outside of blocks.
    public var name: String
    /// 10 log₁₀ of the outputs' energy over that of their errors, in decibels, −300 … 300.
    public var signalToNoise: Double
    /// The share of the noise of all blocks, each measured alone, that is this one's, 0…1.
    public var share: Double
    /// The ranges of its tensors that were measured, by their names; none where nothing is calibrated.
    public var ranges: [String: Calibration.ValueRange]
  }

  /// Images on which that is measured, at most.
  static let sensitivityImages = 64

  /// The layers with products.
  private static func products(of network: Network) -> [String] {
    network.nodes.filter(\.operation.hasProducts).map(\.name)
  }

  /// The layers that patterns name.
  ///
  /// - Throws: ``QuantizationError/noLayer(pattern:network:hint:)``.
  static func layers(
    _ patterns: [String], of network: Network
  ) throws(QuantizationError) -> Set<String> {
    let names = products(of: network)
    var found: Set<String> = []
    for text in patterns {
      let pattern = NamePattern(text)
      let own = names.filter(pattern.matches)
      guard !own.isEmpty else {
        throw .noLayer(pattern: text, network: network.name, hint: pattern.hint(among: names))
      }
      found.formUnion(own)
    }
    return found
  }

  /// Layers whose precision is one.
  struct LayerGroup {
    /// The blocks or layers that they are, in the network's order.
    var parts: [String]
    /// The layers with products.
    var layers: [String]
    /// What a table calls them.
    var name: String { parts.joined(separator: " + ") }
  }

  /// The layers with products in groups whose precision is one.
  static func groups(of network: Network) throws -> [LayerGroup] {
    let listing = try PlanListing(network, lanes: InstructionSet.current.lanes)
    let names = Set(products(of: network))
    var groups: [LayerGroup] = []
    for group in listing.layerGroups {
      let layers = group.filter(names.contains)
      guard !layers.isEmpty else { continue }
      var parts: [String] = []
      for layer in layers {
        let part = network.outermostBlock(of: layer) ?? layer
        if !parts.contains(part) { parts.append(part) }
      }
      // A block's gate is a group of its own in the plan; it belongs to the block.
      if let place = groups.firstIndex(where: { Set(parts).isSubset(of: $0.parts) }) {
        groups[place].layers += layers
      } else {
        groups.append(LayerGroup(parts: parts, layers: layers))
      }
    }
    return groups
  }

  /// Runs the network with one group of layers at a time in the reduced precision.
  func losses(
    _ checked: CheckedWeights, _ weights: TrainedWeights, kept: Set<String>,
    calibration: Calibration?, images: QuantizationImages, _ exact: RuntimeModel
  ) throws -> [BlockLoss] {
    let count = min(images.heldOut.count, Self.sensitivityImages)
    let data = DataSubset(images.heldOut, indices: Array(0..<count))
    let all = Set(Self.products(of: weights.network))
    var losses: [(loss: BlockLoss, noise: Double)] = []
    var signal = 0.0
    for group in try Self.groups(of: weights.network)
    where Set(group.layers).isDisjoint(with: kept) {
      let layers = group.layers
      let single = try RuntimeModel(
        checked, threads: threads, precision: precision, calibration: calibration,
        kept: all.subtracting(layers).union(kept))
      var noise = 0.0
      signal = 0
      try forEachBatch(of: data, weights.pipeline) { batch in
        let (own, wanted) = (try single.outputs(batch.pixels), try exact.outputs(batch.pixels))
        for (a, b) in zip(own, wanted) {
          for (x, y) in zip(a.values, b.values) {
            noise += Double(x - y) * Double(x - y)
            signal += Double(y) * Double(y)
          }
        }
      }
      let ranges = (calibration?.ranges ?? [:]).filter { key, _ in
        layers.contains { key.hasPrefix("\($0)/") }
      }
      losses.append(
        (
          BlockLoss(
            name: group.name,
            signalToNoise: noise > 0 ? max(-300, min(10 * log10(signal / noise), 300)) : 300,
            share: 0, ranges: ranges), noise
        ))
    }
    let total = losses.reduce(0) { $0 + $1.noise }
    return losses.map { loss, noise in
      var loss = loss
      loss.share = total > 0 ? noise / total : 0
      return loss
    }.sorted { $0.signalToNoise < $1.signalToNoise }
  }
}

extension Network {
  /// The name of the largest block that a layer belongs to, if any.
  fileprivate func outermostBlock(of layer: String) -> String? {
    guard let node = nodes.firstIndex(where: { $0.name == layer }) else { return nil }
    return blocks.filter { $0.nodes.contains(node) }.max { $0.nodes.count < $1.nodes.count }?.name
  }
}
