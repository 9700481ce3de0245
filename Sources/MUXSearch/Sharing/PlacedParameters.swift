// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Where a layer with weights stands in a block.
enum BlockPlace: Sendable, Hashable {
  /// The convolution that is the whole block, and its batch norm.
  case dense, denseNorm
  /// The 1×1 convolution to more channels.
  case expansion, expansionNorm
  /// The convolution over space.
  case spatial, spatialNorm
  /// The two 1×1 convolutions of squeeze-and-excitation: to fewer channels, and back.
  case squeeze, excitation
  /// The 1×1 convolution to the block's channels.
  case projection, projectionNorm

  /// Whether a layer of this place can be made so.
  func suits(_ operation: Operation) -> Bool {
    switch (self, operation) {
    case (.denseNorm, .batchNormalization), (.expansionNorm, .batchNormalization),
      (.spatialNorm, .batchNormalization), (.projectionNorm, .batchNormalization),
      (.dense, .convolution), (.squeeze, .convolution), (.excitation, .convolution),
      (.expansion, .convolution), (.expansion, .branchedConvolution),
      (.spatial, .convolution), (.spatial, .branchedConvolution),
      (.projection, .convolution), (.projection, .branchedConvolution):
      true
    default: false
    }
  }
}

extension BlockSpecification {
  /// The places of its layers with weights, in the order of a network's nodes.
  var places: [BlockPlace] {
    let excitation: [BlockPlace] = squeezeRatio > 0 ? [.squeeze, .excitation] : []
    let separable = [.spatial, .spatialNorm] + excitation + [.projection, .projectionNorm]
    return switch kind {
    case .convolution: [.dense, .denseNorm]
    case .depthwiseSeparable, .activatedSeparable: separable
    case .invertedResidual, .mux: [.expansion, .expansionNorm] + separable
    }
  }
}

/// Where a layer with weights stands before or behind the blocks.
enum OuterPlace: Sendable, Hashable {
  case stem, stemNorm, head, headNorm, classifier
}

/// A parameter with the place of its layer.
struct PlacedParameter<Place: Sendable>: Sendable {
  var place: Place
  /// The layer's name, in a block from the block on.
  var layer: String
  /// What follows the layer's name in the parameter's.
  var ending: String
  var specification: ParameterSpecification
}

extension [PlacedParameter<BlockPlace>] {
  /// The weight of the expansion, if that is one for all channels.
  var expansionWeight: ParameterSpecification? {
    first { $0.place == .expansion && $0.specification.branch == nil }?.specification
  }
}

/// The parameters of a space's network by the places of their layers; counters of batches have none.
struct PlacedParameters: Sendable {
  /// Those of each block.
  private(set) var blocks: [[PlacedParameter<BlockPlace>]] = []
  /// Those before and behind the blocks.
  private(set) var others: [PlacedParameter<OuterPlace>] = []

  /// Whether a 1×1 convolution stands between the blocks and the classifier.
  var hasHead: Bool { others.contains { $0.place == .head } }

  /// Goes through a network that is a stem, these blocks and a head.
  ///
  /// - Throws: `SearchError.space` with the name of a layer that has no place.
  init(_ network: Network, of space: String, blocks: [BlockSpecification]) throws(SearchError) {
    func fail(_ name: String) -> SearchError {
      .space(path: space, reason: "'\(name)' is not made of layers whose places share weights")
    }
    var left = Dictionary(
      grouping: network.parameters.filter { $0.role != .batchCount }, by: \.node)
    let stem = network.blocks.first?.nodes ?? 0..<0
    let found = network.blocks.dropFirst().prefix(blocks.count)
    guard found.count == blocks.count else { throw fail(network.name) }
    for (block, specification) in zip(found, blocks) {
      let layers = block.nodes.filter { left[$0] != nil }
      guard layers.count == specification.places.count else { throw fail(block.name) }
      var own: [PlacedParameter<BlockPlace>] = []
      for (index, place) in zip(layers, specification.places) {
        let node = network.nodes[index]
        guard place.suits(node.operation) else { throw fail(node.name) }
        own += Self.placed(
          left.removeValue(forKey: index), of: node, place, from: block.name.count + 1)
      }
      self.blocks.append(own)
    }
    let end = found.last?.nodes.upperBound ?? stem.upperBound
    for index in left.keys.sorted() {
      let node = network.nodes[index]
      let place: OuterPlace
      switch node.operation {
      case .convolution where stem.contains(index): place = .stem
      case .batchNormalization where stem.contains(index): place = .stemNorm
      case .convolution where index >= end: place = .head
      case .batchNormalization where index >= end: place = .headNorm
      case .linear where index >= end: place = .classifier
      default: throw fail(node.name)
      }
      // A second one belongs to a block that the space does not have.
      guard !others.contains(where: { $0.place == place }) else { throw fail(node.name) }
      others += Self.placed(left[index], of: node, place)
    }
  }

  /// The parameters of a layer whose name counts from so many characters on.
  private static func placed<Place>(
    _ parameters: [ParameterSpecification]?, of node: Node, _ place: Place, from start: Int = 0
  ) -> [PlacedParameter<Place>] {
    (parameters ?? []).map {
      PlacedParameter(
        place: place, layer: String(node.name.dropFirst(start)),
        ending: String($0.name.dropFirst(node.name.count)), specification: $0)
    }
  }
}
