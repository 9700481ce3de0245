// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import Testing

@Suite("Patterns of blocks in a network")
struct BlockPatternTests {
  /// 1×1 to 16 channels, depthwise 3×3, squeeze-and-excitation, 1×1 to 8 channels; `tap` is the node that
  /// a second one reads.
  private func network(tap: String? = nil) throws -> Network {
    var builder = NetworkBuilder(name: "block", inputChannels: 8, inputSize: ImageSize(8))
    var values: [String: NetworkBuilder.Value] = [:]
    func keep(_ value: NetworkBuilder.Value) -> NetworkBuilder.Value {
      values[value.name] = value
      return value
    }
    var x = builder.convolution(builder.input, "expand", outputChannels: 16)
    x = builder.batchNormalization(x, "expand.norm")
    x = keep(builder.activation(x, "expand.act", .relu))
    x = builder.convolution(x, "spatial", outputChannels: 16, kernelSize: 3, groups: 16)
    x = builder.batchNormalization(x, "spatial.norm")
    x = keep(builder.activation(x, "spatial.act", .relu))
    x = builder.squeezeExcitation(x, "se", reducedChannels: 4, activation: .relu)
    x = builder.convolution(x, "project", outputChannels: 8)
    x = builder.batchNormalization(x, "project.norm")
    var outputs = [x]
    if let tap { outputs.append(builder.activation(try #require(values[tap]), "tap", .relu)) }
    return try builder.build(outputs: outputs)
  }

  private func block(_ network: Network, at name: String) throws -> NetworkAnalysis
    .InvertedResidual?
  {
    NetworkAnalysis(network).invertedResidual(
      at: try #require(network.index(ofNode: name)), isExpansion: \.isDensePointwise,
      isSpatial: { operation in
        if case .convolution(let convolution) = operation { convolution.groups > 1 } else { false }
      })
  }

  @Test("an inverted residual is found from its expansion and from its convolution over space")
  func invertedResidual() throws {
    let network = try network()
    let found = try #require(try block(network, at: "expand"))
    let layers = [found.expansion, found.spatial, found.projection].compactMap(\.self)
    #expect(
      layers.map { network.nodes[$0.node].name } == ["expand", "spatial", "project"])
    #expect(
      layers.map { network.nodes[$0.chain.end].name }
        == ["expand.act", "spatial.act", "project.norm"])
    #expect(network.nodes[try #require(found.excitation).multiply].name == "se.multiply")
    let separable = try #require(try block(network, at: "spatial"))
    #expect(separable.expansion == nil && separable.projection == found.projection)
    #expect(try block(network, at: "project") == nil)
  }

  @Test("a block ends where something else reads a value inside it")
  func readers() throws {
    #expect(try block(network(tap: "expand.act"), at: "expand") == nil)
    let cut = try #require(try block(network(tap: "spatial.act"), at: "expand"))
    #expect(cut.projection == nil && cut.excitation == nil)
  }

  @Test("a split is two slices of one value, one behind the other")
  func split() throws {
    var builder = NetworkBuilder(name: "split", inputChannels: 8, inputSize: ImageSize(8))
    let first = builder.slice(builder.input, "first", start: 0, count: 6)
    let overlapping = builder.slice(builder.input, "overlapping", start: 4, count: 4)
    let second = builder.slice(builder.input, "second", start: 6, count: 2)
    let again = builder.slice(builder.input, "again", start: 6, count: 1)
    let network = try builder.build(outputs: [first, overlapping, second, again])
    let analysis = NetworkAnalysis(network)
    let split = try #require(analysis.channelSplit(at: 0))
    #expect(split.first == 0 && split.firstCount == 6)
    #expect(split.second == 2 && split.secondCount == 2)
    #expect(analysis.channelSplit(at: 1) == nil && analysis.channelSplit(at: 2) == nil)
  }
}
