// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// Plans in which convolutions hand on lanes, go by Winograd's tiles, or take in an activation.
@Suite("Lanes between convolutions, and tiles")
struct PlanLanesTests {
  private func builder(channels: Int, size: ImageSize) -> NetworkBuilder {
    NetworkBuilder(name: "small", inputChannels: channels, inputSize: size)
  }

  private func lines(_ network: Network, _ precision: Precision = .float32) throws -> [String] {
    let listing = try PlanListing(network, precision: precision, lanes: 8)
    return listing.text(after: .formats).split(separator: "\n").dropFirst().map(String.init)
  }

  /// 1×1, 3×3, 1×1, as in the bottlenecks of a ResNet.
  private func bottleneck(_ size: ImageSize) throws -> Network {
    var builder = builder(channels: 16, size: size)
    var x = builder.convolution(builder.input, "a", outputChannels: 16)
    x = builder.convolution(x, "b", outputChannels: 16, kernelSize: 3)
    x = builder.activation(x, "act", .relu)
    _ = builder.convolution(x, "c", outputChannels: 8)
    return try builder.build()
  }

  /// An activation, and twice a depthwise convolution with a pointwise one after it, as in NASNet.
  private func separable(_ size: ImageSize, isReadAgain: Bool = false) throws -> Network {
    var builder = builder(channels: 12, size: size)
    let first = builder.activation(builder.input, "first", .hardSwish)
    var x = first
    for name in ["a", "b"] {
      x = builder.convolution(x, "\(name).dw", outputChannels: 12, kernelSize: 3, groups: 12)
      x = builder.convolution(x, "\(name).pw", outputChannels: 12)
      x = builder.activation(x, "\(name).act", .relu)
    }
    _ = isReadAgain ? builder.sum(x, first, "sum") : x
    return try builder.build()
  }

  @Test("A 3×3 convolution of many pixels goes by tiles, and lanes are handed on before and after")
  func bottlenecks() throws {
    #expect(
      try lines(bottleneck(ImageSize(24))) == [
        "v0 NCHW 16×24×24 = input",
        "v1 NCHW8c 16×24×24 = dense a (v0) 1×1 a",
        "v2 NCHW8c 16×24×24 = dense b (v1) 3×3 b relu; Winograd's tiles of 4×4",
        "v3 planes 8×24×24 = dense c (v2) 1×1 c",
        "output 8×24×24 = v3",
      ])
    // Of few pixels the plain sum takes less time, and reads rows of planes.
    #expect(
      try lines(bottleneck(ImageSize(6)))[1...2] == [
        "v1 planes 16×6×6 = dense a (v0) 1×1 a", "v2 NCHW8c 16×6×6 = dense b (v1) 3×3 b relu",
      ])
    #expect(try !lines(bottleneck(ImageSize(24)), .bfloat16).contains { $0.contains("Winograd") })
  }

  @Test(
    "A depthwise convolution activates what it reads, and reads lanes of the pointwise one before")
  func separables() throws {
    let plan = try lines(separable(ImageSize(6)))
    #expect(plan[1].hasPrefix("v2 NCHW8c 12×6×6 = spatial a.dw (v0) first hardSwish; 3×3"))
    #expect(plan[2].hasPrefix("v3 NCHW8c 12×6×6 = dense a.pw (v2)"))
    #expect(plan[3].hasPrefix("v4 NCHW8c 12×6×6 = spatial b.dw (v3) 3×3"))
    #expect(plan[4].hasPrefix("v5 planes 12×6×6 = dense b.pw (v4)"))
    // An activation that something else reads, too, is a step.
    let other = try lines(separable(ImageSize(6), isReadAgain: true))
    #expect(other[1] == "v1 planes 12×6×6 = elementwise first (v0) hardSwish")
  }

  @Test("They are right, with images that no tile divides", arguments: availableSets)
  func agreement(set: InstructionSet) throws {
    for size in [ImageSize(height: 29, width: 22), ImageSize(height: 61, width: 35)] {
      #expect(try compare(bottleneck(size), set: set) < 2e-5, "\(size)")
      for isReadAgain in [false, true] {
        #expect(try compare(separable(size, isReadAgain: isReadAgain), set: set) < 2e-5, "\(size)")
      }
    }
  }

  @Test("Tiles read any planes, add, and share out their tasks", arguments: availableSets)
  func tiles(set: InstructionSet) throws {
    var builder = builder(channels: 24, size: ImageSize(height: 54, width: 47))
    let left = builder.slice(builder.input, "left", start: 0, count: 8)
    let right = builder.slice(builder.input, "right", start: 12, count: 12)
    let both = builder.concatenation([right, left], "both")
    var x = builder.convolution(both, "a", outputChannels: 20, kernelSize: 3, hasBias: true)
    x = builder.activation(x, "a.act", .swish)
    let y = builder.convolution(x, "b", outputChannels: 20, kernelSize: 3, padding: 1)
    x = builder.activation(builder.sum(y, x, "sum"), "sum.act", .relu)
    _ = builder.convolution(x, "c", outputChannels: 72, kernelSize: 3, padding: 0)
    let network = try builder.build()
    #expect(try lines(network).count { $0.contains("Winograd's tiles of 4×4") } == 3)
    for threads in [1, 2] {
      #expect(try compare(network, set: set, threads: threads) < 2e-5)
    }
  }

  @Test("A packed file has the weights of the windows, whatever plans make of them")
  func files() throws {
    let network = try bottleneck(ImageSize(24))
    let listing = try PlanListing(network, lanes: 8).text(after: .pack)
    #expect(listing.contains("Winograd's tiles of 4×4 [dense ×2304; dense bias ×16]"))
    let small = try PlanListing(network, inputSize: ImageSize(6), lanes: 8).text(after: .pack)
    #expect(small.contains("3×3 b relu [dense ×2304; dense bias ×16]"))
  }

  @Test(
    "Packed files with windows give what the tensors give, to the bit",
    arguments: Precision.allCases)
  func packed(precision: Precision) throws {
    var builder = builder(channels: 19, size: ImageSize(height: 23, width: 30))
    var x = builder.convolution(builder.input, "a", outputChannels: 24, kernelSize: 3)
    x = builder.activation(x, "a.act", .relu)
    x = builder.convolution(x, "b", outputChannels: 17, stride: 2, padding: 0, hasBias: true)
    x = builder.convolution(x, "c", outputChannels: 9, kernelSize: 5, stride: 3, padding: 2)
    let network = try builder.build()
    let weights = RandomWeights.archive(network, seed: 3)
    let input = pixels(19 * 23 * 30, seed: 5)
    let calibrator = try Calibrator(network, weights: weights)
    try calibrator.add(input)
    let calibration = calibrator.calibration
    let folder = try TemporaryFolder()
    try PackedModel.write(
      network, weights: weights, precision: precision, calibration: calibration,
      to: folder("m.muxnet"))
    let model = try PackedModel(contentsOf: folder("m.muxnet"))
    let exact = try InferenceEngine(InferencePlan(network, weights: weights)).run(input)
    for set in availableSets {
      let direct = try InferencePlan(
        network, weights: weights, instructionSet: set, precision: precision,
        calibration: calibration)
      let expected = try InferenceEngine(direct).run(input)
      let tolerance: Float = [.float32: 1e-5, .bfloat16: 2e-2, .int8: 6e-2][precision] ?? 0
      #expect(difference(expected, exact) < tolerance, "\(set)")
      let guarded = try InferencePlan(
        model, inputSize: nil, instructionSet: set, isGuarded: true)
      #expect(try InferenceEngine(guarded, threads: 2).run(input) == expected, "\(set)")
    }
  }
}
