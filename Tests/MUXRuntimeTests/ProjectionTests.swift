// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import Testing

/// Projections of blocked channels, which have a way of their own where they give few channels.
@Suite("Projections")
struct ProjectionTests {
  private let sizes = [
    ImageSize(height: 1, width: 1), ImageSize(height: 3, width: 5), ImageSize(height: 4, width: 8),
    ImageSize(height: 5, width: 7), ImageSize(7), ImageSize(height: 12, width: 24),
  ]

  /// An inverted residual block on `channels` channels.
  private func block(
    _ channels: Int, expanded: Int, outputs: Int, size: ImageSize, isExcited: Bool,
    activation: Activation
  ) throws -> Network {
    var builder = NetworkBuilder(name: "block", inputChannels: channels, inputSize: size)
    var x = builder.convolution(builder.input, "expand", outputChannels: expanded)
    x = builder.activation(x, "act1", .relu)
    x = builder.convolution(
      x, "spatial", outputChannels: expanded, kernelSize: 3, groups: expanded)
    x = builder.activation(x, "act2", .swish)
    if isExcited {
      x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
    }
    x = builder.convolution(x, "project", outputChannels: outputs, hasBias: true)
    if outputs == channels {
      x = builder.activation(builder.sum(x, builder.input, "sum"), "act3", activation)
    } else {
      x = builder.activation(x, "act3", activation)
    }
    return try builder.build()
  }

  @Test(
    "Few outputs on every number of pixels, with gates, residual sums and activations",
    arguments: availableSets)
  func narrow(set: InstructionSet) throws {
    for (index, outputs) in [1, 2, 5, 7, 8, 9, 16].enumerated() {
      for size in sizes {
        for channels in [outputs, 6] {
          let network = try block(
            channels, expanded: [5, 16, 24, 40][index % 4], outputs: outputs, size: size,
            isExcited: index % 2 == 0, activation: [.identity, .relu6, .swish][index % 3])
          for threads in [1, 2] {
            #expect(
              try compare(network, set: set, threads: threads) < 2e-5,
              "\(channels) to \(outputs) channels on \(size), \(threads) threads")
          }
        }
      }
    }
  }

  /// The blocks after each other, the middle one giving channels of the narrow superpixel kind, so
  /// that some lanes of a block hold none.
  @Test("Few outputs from blocks with empty lanes", arguments: availableSets)
  func emptyLanes(set: InstructionSet) throws {
    for (channels, outputs) in [(1, 3), (3, 8), (5, 4)] {
      func branch(
        _ name: String, _ inner: Int, _ multiplexing: SpatialMultiplexing
      ) -> BranchedConvolution.Branch {
        BranchedConvolution.Branch(
          name: name,
          convolution: Convolution(
            inputChannels: inner, outputChannels: inner, kernelSize: 3, groups: inner),
          multiplexing: multiplexing)
      }
      let branched = BranchedConvolution(branches: [
        branch("a", 4 * channels, .subpixel), branch("b", 7, .none),
        branch("c", channels, .superpixel),
      ])
      let size = ImageSize(height: 10, width: 14)
      var builder = NetworkBuilder(name: "mux", inputChannels: 5, inputSize: size)
      var x = builder.convolution(
        builder.input, "expand", outputChannels: branched.inputChannels)
      x = builder.branchedConvolution(x, "mux", branched)
      _ = builder.convolution(x, "project", outputChannels: outputs)
      #expect(try compare(builder.build(), set: set) < 2e-5, "\(channels) to \(outputs)")
    }
  }

  /// A projection that a single expansion reads writes blocks of lanes, else planes.
  @Test("Blocks one after the other, whose projection is read by one or by two")
  func blocksOfLanes() throws {
    for (index, channels) in [1, 5, 8, 9, 16, 17, 24, 33, 40].enumerated() {
      for isReadAgain in [false, true] {
        let size = sizes[(index + (isReadAgain ? 1 : 0)) % sizes.count]
        let expanded = [3, 16, 21, 48][index % 4]
        var builder = NetworkBuilder(name: "two blocks", inputChannels: 3, inputSize: size)
        var x = builder.convolution(builder.input, "expand0", outputChannels: expanded)
        x = builder.activation(x, "act0", .relu)
        x = builder.convolution(
          x, "spatial0", outputChannels: expanded, kernelSize: 3, groups: expanded)
        if index % 2 == 0 {
          x = builder.squeezeExcitation(x, "se0", reducedChannels: 3, activation: .relu)
        }
        x = builder.convolution(x, "project0", outputChannels: channels, hasBias: true)
        x = builder.activation(x, "act1", [.identity, .swish, .relu][index % 3])
        let projected = x
        x = builder.convolution(x, "expand1", outputChannels: 20)
        x = builder.convolution(x, "spatial1", outputChannels: 20, kernelSize: 5, groups: 20)
        x = builder.convolution(x, "project1", outputChannels: channels)
        if isReadAgain { x = builder.sum(x, projected, "sum") }
        let network = try builder.build()
        for set in availableSets {
          for threads in [1, 2] {
            #expect(
              try compare(network, set: set, threads: threads) < 2e-5,
              "\(channels) channels on \(size), \(set), \(threads) threads")
          }
        }
      }
    }
  }
}
