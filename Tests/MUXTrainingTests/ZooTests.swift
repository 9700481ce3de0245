// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTensor
import MUXTestSupport
import MUXTraining
import Testing

/// The networks of the zoo at work, on a small image with odd sides, grey and another grey, three
/// classes. One after the other: VGG16 alone takes two gigabytes.
@Suite(.serialized, .tags(.slow)) struct ZooTests {
  /// The smallest network of each set of layers: others that are made of the same layers, only wider or of
  /// more of them, are tried with `MUXNET_TEST_REPEATS` (scripts/release-check). Shapes, counts, files and
  /// names of weights of all of them have tests of their own.
  private static let names: [String] = {
    let all = ModelZoo.entries.map(\.name)
    guard Repeats.factor == 1 else { return all }
    var smallest: [Set<String>: (name: String, parameters: Int)] = [:]
    for name in all {
      guard let network = try? ModelZoo.network(named: name) else { return all }
      let layers = Set(network.nodes.map { layer($0.operation) } + ["\(network.outputs.count)"])
      let parameters = network.parameterCount
      if parameters < smallest[layers]?.parameters ?? .max { smallest[layers] = (name, parameters) }
    }
    let chosen = Set(smallest.values.map(\.name))
    return all.filter(chosen.contains)
  }()

  /// What a layer is, whatever its width.
  private static func layer(_ operation: Operation) -> String {
    func text(_ convolution: Convolution) -> String {
      let groups =
        convolution.groups == 1
        ? "dense" : convolution.groupWidth == 1 ? "depthwise" : "grouped"
      return "\(convolution.kernelSize) \(convolution.stride) \(convolution.dilation)"
        + " \(convolution.padding) \(convolution.hasBias) \(groups)"
    }
    switch operation {
    case .convolution(let convolution): return text(convolution)
    case .branchedConvolution(let branched):
      return branched.branches.map { "\($0.multiplexing) \($0.factor) \(text($0.convolution))" }
        .joined(separator: ", ")
    case .activation(let activation): return "\(activation)"
    case .pool(let pooling): return "\(pooling)"
    case .linear, .batchNormalization, .l2Normalization, .add, .multiply, .concatenate, .slice,
      .channelShuffle, .globalAveragePool, .adaptiveAveragePool, .pad, .flatten, .dropout,
      .dropPath:
      return Mirror(reflecting: operation).children.first?.label ?? "\(operation)"
    }
  }

  @Test("Networks are chosen, each once")
  func chosen() {
    #expect(Self.names.count >= 15 && Set(Self.names).count == Self.names.count, "\(Self.names)")
  }

  private let usualSize = ImageSize(height: 67, width: 49)

  private func network(_ name: String) throws -> Network {
    // Its last extra layers take no padding.
    let size = name == "ssd300_vgg16" ? ImageSize(height: 271, width: 269) : usualSize
    return try ModelZoo.network(
      named: name, options: ModelOptions(classes: 3, inputChannels: 2, inputSize: size))
  }

  @Test(
    "a step gives every parameter a finite gradient; the runtime agrees with libtorch after it",
    arguments: names)
  func walk(name: String) throws {
    let network = try network(name)
    let isDetector = try ModelZoo.entry(named: name).isDetector
    if !isDetector { #expect(try network.shapes().last == Shape(channels: 3)) }
    let size = network.inputSize
    let model = try NetworkModel(network, seed: 3)
    let images = try TorchGenerator(seed: 4).normal([2, 2, size.height, size.width])
    model.isTraining = true
    if isDetector {
      // Any slope at each output will do; detectors' own loss is not here yet.
      let outputs = try model.outputs(images)
      #expect(outputs.count == network.outputs.count)
      let losses = try outputs.map { try ($0 + 1).squared().mean() }
      try losses.dropFirst().reduce(losses[0]) { try $0 + $1 }.backward()
    } else {
      try model.forward(images).crossEntropy(Tensor([0, 2] as [Int64])).backward()
    }
    var moved = 0
    for parameter in model.parameters {
      let gradient = try #require(try parameter.tensor.grad(), "\(name): \(parameter.name)")
      // A NaN or an infinity anywhere is one in the sum.
      let sum = try withoutGradient { try gradient.absolute().sum().item() }
      #expect(sum.isFinite, "\(name): \(parameter.name)")
      if sum > 0 { moved += 1 }
    }
    // A dead ReLU may leave some without a slope, not many.
    #expect(moved * 10 > model.parameters.count * 9, "\(name): \(moved) parameters learn")

    model.isTraining = false
    let image = try images.narrow(0, start: 0, length: 1).contiguous()
    let expected = try withoutGradient { try model.outputs(image).flatMap { try $0.floats() } }
    let plan = try InferencePlan(network, weights: model.archive(), inputSize: size)
    let found = try InferenceEngine(plan).run(image.floats())
    #expect(found.count == expected.count)
    let scale = expected.map(\.magnitude).max() ?? 0
    #expect(scale > 0 && scale.isFinite, "\(name)")
    for (a, b) in zip(found, expected) {
      #expect(abs(a - b) <= 2e-4 * scale, "\(name): \(found) and \(expected)")
    }
  }
}
