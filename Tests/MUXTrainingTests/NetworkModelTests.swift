// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXNetworks
import MUXTensor
import MUXTraining
import MUXWeights
import Testing

@Suite struct NetworkModelTests {
  func muxNet(classes: Int = 5) throws -> Network {
    try ModelZoo.architecture(named: "muxnet_s")
      .applying(ModelOptions(classes: classes, inputSize: ImageSize(64)))
      .network()
  }

  func images(_ shape: [Int], seed: UInt64 = 3) throws -> Tensor {
    try TorchGenerator(seed: seed).normal(shape)
  }

  @Test("the same seed gives the same weights, whatever the head; another seed gives others")
  func initialization() throws {
    let model = try NetworkModel(muxNet(), seed: 7)
    let same = try NetworkModel(muxNet(), seed: 7)
    let other = try NetworkModel(muxNet(), seed: 8)
    let headless = try NetworkModel(muxNet(classes: 9), seed: 7)
    for (a, b) in zip(model.namedState, same.namedState) {
      #expect(try a.tensor.isIdentical(to: b.tensor), "\(a.name)")
    }
    let stem = try #require(model.tensor(named: "conv_stem.weight"))
    #expect(try !stem.isIdentical(to: #require(other.tensor(named: "conv_stem.weight"))))
    for entry in model.namedState where !entry.name.hasPrefix("classifier") {
      #expect(try entry.tensor.isIdentical(to: #require(headless.tensor(named: entry.name))))
    }
  }

  @Test(
    "fresh weights have the deviation of their rule",
    arguments: [
      (WeightInitialization.google, 9.0 * 64), (.googleGroups, 9.0), (.kaiming, 9.0 * 64),
    ])
  func deviation(rule: WeightInitialization, fanOut: Double) throws {
    var builder = NetworkBuilder(
      name: "rule", inputChannels: 64, inputSize: ImageSize(8), initialization: rule)
    var x = builder.convolution(
      builder.input, "conv", outputChannels: 64, kernelSize: 3, groups: 64, hasBias: true)
    x = builder.batchNormalization(x, "bn")
    _ = builder.classify(x, classes: 100)
    let model = try NetworkModel(builder.build(), seed: 2)
    let weight = try #require(model.tensor(named: "conv.weight")).detach()
    let expected = (2 / fanOut).squareRoot()
    #expect(abs(try weight.variance().item().squareRoot() / expected - 1) < 0.1)
    let linear = try #require(model.tensor(named: "classifier.weight")).detach()
    if rule == .kaiming {
      #expect(abs(try linear.variance().item().squareRoot() / 0.01 - 1) < 0.1)
    } else {
      #expect(try linear.absolute().max().item() <= 0.1)
      #expect(try linear.absolute().max().item() > 0.095)
    }
    #expect(try #require(model.tensor(named: "conv.bias")).detach().absolute().max().item() == 0)
    #expect(try #require(model.tensor(named: "bn.weight")).detach().min().item() == 1)
    #expect(try #require(model.tensor(named: "bn.running_var")).min().item() == 1)
  }

  @Test("a batch norm by hand: statistics, counter and mode")
  func batchNorm() throws {
    let network = try smallNetwork("norm", inputChannels: 1, side: 2) { builder, x in
      _ = builder.batchNormalization(x, "bn", momentum: 0.5)
    }
    let model = try NetworkModel(network, seed: 1)
    let x = try Tensor([0, 2, 4, 6] as [Float], shape: [1, 1, 2, 2])
    // Inference: mean 0, variance 1.
    #expect(try relativeDifference(model.forward(x), x / (1 + 1e-5).squareRoot()) < 1e-6)
    model.isTraining = true
    _ = try model.forward(x)
    #expect(try #require(model.tensor(named: "bn.running_mean")).item() == 1.5)
    let variance = try #require(model.tensor(named: "bn.running_var")).item()
    #expect(abs(variance - (0.5 + 0.5 * 20 / 3)) < 1e-5)
    #expect(try #require(model.tensor(named: "bn.num_batches_tracked")).item() == 1)
    model.isTraining = false
    _ = try model.forward(x)
    #expect(try #require(model.tensor(named: "bn.num_batches_tracked")).item() == 1)
  }

  @Test("captured layers are the values on the way; blocks stand for their last node")
  func capturing() throws {
    // Node by node: a fused block has no inner values, and is left when one is asked for.
    let model = try NetworkModel(muxNet(), seed: 4, fusesOperations: false)
    let x = try images([2, 3, 64, 64])
    try withoutGradient {
      let plain = try model.forward(x)
      let names = model.network.nodes.map(\.name) + model.network.blocks.map(\.name)
      let (output, layers) = try model.forward(x, capturing: names)
      #expect(try output.isIdentical(to: plain))
      #expect(Set(layers.keys) == Set(names))
      let shapes = try model.network.shapes(inputSize: ImageSize(64))
      for (node, shape) in zip(model.network.nodes, shapes) {
        let value = try #require(layers[node.name])
        #expect(value.shape.dropFirst().reduce(1, *) == shape.count, "\(node.name)")
      }
      // A concatenation that its shuffle absorbs, computed all the same when asked for.
      let concat = try #require(model.network.nodes.first { $0.name.hasSuffix(".concat") })
      let shuffle = concat.name.replacing(".concat", with: ".shuffle")
      let expected = try #require(layers[concat.name]).channelShuffle(groups: 2)
      #expect(try #require(layers[shuffle]).isIdentical(to: expected))
    }
    #expect(throws: NetworkError.self) { try model.forward(x, capturing: ["blocks.99"]) }
  }

  @Test("gradients of the composed net agree with finite differences")
  func finiteDifferences() throws {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(
        ModelOptions(
          classes: 3, inputSize: ImageSize(32), widthMultiplier: 0.25, outputStride: 8,
          dropoutRate: 0)
      ).network()
    let model = try NetworkModel(network, seed: 5, dtype: .float64)
    model.isTraining = true
    let x = try images([4, 3, 32, 32]).to(.float64)
    let target = try Tensor([0, 1, 2, 1] as [Int64])
    try model.forward(x).crossEntropy(target).backward()
    let tested = model.parameters.enumerated().filter { $0.offset % 17 == 0 }.map(\.element)
    for parameter in tested {
      let gradient = try #require(try parameter.tensor.grad())
      let direction = try TorchGenerator(seed: 6).normal(parameter.tensor.shape, dtype: .float64)
      let slope = try (gradient * direction).sum().item()
      func loss(_ step: Double) throws -> Double {
        try withoutGradient {
          try parameter.tensor.addInPlace(direction, scale: step)
          let value = try model.forward(x).crossEntropy(target).item()
          try parameter.tensor.addInPlace(direction, scale: -step)
          return value
        }
      }
      let measured = try (loss(1e-6) - loss(-1e-6)) / 2e-6
      #expect(
        abs(measured - slope) < 1e-4 * max(1, abs(slope)),
        "\(parameter.name): \(measured), \(slope)")
    }
  }

  @Test("a multiplexed branch pads odd sizes inside and keeps the outer size")
  func oddSizes() throws {
    let network = try smallNetwork("odd", inputChannels: 12, side: 7) { builder, x in
      let branches = [(SpatialMultiplexing.subpixel, 16), (.none, 4), (.superpixel, 1)].enumerated()
        .map { index, pair in
          BranchedConvolution.Branch(
            name: "\(index)",
            convolution: Convolution(
              inputChannels: pair.1, outputChannels: pair.1, kernelSize: 3, groups: pair.1),
            multiplexing: pair.0)
        }
      _ = builder.branchedConvolution(x, "conv", BranchedConvolution(branches: branches))
    }
    let model = try NetworkModel(network, seed: 1)
    let x = try images([2, 12, 7, 5])
    try withoutGradient {
      let found = try model.forward(x)
      #expect(found.shape == [2, 12, 7, 5])
      // By hand: all slices in an image padded to 8 × 6, cropped after.
      let padded = try model.forward(x.pad(right: 1, bottom: 1))
      let cropped = try padded.narrow(2, start: 0, length: 7).narrow(3, start: 0, length: 5)
      #expect(try relativeDifference(found, cropped) < 1e-6)
    }
  }

  @Test("stochastic depth and dropout act in training only, and repeat by the generator's seed")
  func dropping() throws {
    let network = try smallNetwork("drop", inputChannels: 1, side: 1) { builder, x in
      let kept = builder.dropPath(x, "path", rate: 0.5)
      _ = builder.add("dropout", .dropout(rate: 0.2), kept, channels: 1)
    }
    let model = try NetworkModel(network, seed: 1)
    let ones = try Tensor.ones([4000, 1, 1, 1])
    #expect(try model.forward(ones).isIdentical(to: ones))
    model.isTraining = true
    try model.generator.reseed(9)
    let first = try model.forward(ones)
    #expect(try !first.isIdentical(to: model.forward(ones)))
    try model.generator.reseed(9)
    #expect(try first.isIdentical(to: model.forward(ones)))
    #expect(Set(try first.floats()) == [0, 2.5])
    #expect(abs(try first.mean().item() - 1) < 0.1)
  }

  @Test("batches that do not fit are refused with the reason")
  func inputs() throws {
    let model = try NetworkModel(muxNet(), seed: 1)
    #expect(throws: ExecutionError.self) { try model.forward(Tensor.zeros([3, 64, 64])) }
    #expect(throws: ExecutionError.self) { try model.forward(Tensor.zeros([1, 1, 64, 64])) }
    #expect(throws: ExecutionError.self) {
      try model.forward(Tensor.zeros([1, 3, 64, 64], dtype: .uint8))
    }
    #expect(throws: (any Error).self) { try model.forward(Tensor.zeros([1, 3, 0, 64])) }
    #expect(throws: ExecutionError.parameterType(.int64)) {
      try NetworkModel(muxNet(), seed: 1, dtype: .int64)
    }
    #expect(throws: TorchError.self) { try NetworkModel(muxNet(), seed: 1, device: .cuda(77)) }
    let text = ExecutionError.inputShape(network: "n", channels: 3, actual: [1, 1, 8, 8])
      .description
    #expect(text == "network 'n' takes images [N, 3, H, W], not [1, 1, 8, 8]")
  }

  @Test("bfloat16, by autocast and by type, stays near single precision")
  func shortPrecision() throws {
    let model = try NetworkModel(muxNet(), seed: 2)
    let x = try images([2, 3, 64, 64])
    let reference = try withoutGradient { try model.forward(x) }
    let mixed = try withoutGradient { try withAutocast(.cpu) { try model.forward(x) } }
    #expect(mixed.dtype == .bfloat16)
    #expect(try relativeDifference(mixed, reference) < 0.1)
    let short = try NetworkModel(muxNet(), seed: 2, dtype: .bfloat16)
    let found = try withoutGradient { try short.forward(x.to(.bfloat16)) }
    #expect(try relativeDifference(found, reference) < 0.15)
  }
}
