// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor
import MUXTraining
import Testing

/// Fused operations against the node-by-node executor in double precision.
@Suite(.serialized) struct FusedTests {
  /// One block behind a stem of `width` channels at full resolution, before a small head.
  static func network(_ block: BlockSpecification, width: Int) throws -> Network {
    var architecture = Architecture(
      name: "one_block", stem: .init(channels: width, stride: 1), stages: [[block]],
      head: .init(channels: 16))
    architecture.classes = 5
    architecture.inputSize = ImageSize(14)
    return try architecture.network()
  }

  /// The same weights twice: fused in `float32`, node by node in `float64`, with batch norms off
  /// their starting values.
  static func pair(_ network: Network) throws -> (fused: NetworkModel, reference: NetworkModel) {
    let fused = try NetworkModel(network, seed: 3)
    let reference = try NetworkModel(network, seed: 3, dtype: .float64, fusesOperations: false)
    let generator = try TorchGenerator(seed: 4)
    try withoutGradient {
      for (own, other) in zip(fused.parameters, reference.parameters)
      where own.tensor.rank == 1 {
        let isShift = own.name.hasSuffix("bias")
        try own.tensor.copyInPlace(
          from: generator.uniform(
            own.tensor.shape, low: isShift ? -0.4 : 0.5, high: isShift ? 0.4 : 1.5))
        try other.tensor.copyInPlace(from: own.tensor)
      }
    }
    return (fused, reference)
  }

  /// Outputs, all gradients, running statistics, then inference: one training step on both.
  static func compare(_ network: Network, _ shape: [Int]) throws {
    let (fused, reference) = try pair(network)
    let images = try TorchGenerator(seed: 5).normal(shape)
    let classes = try #require(network.classCount)
    let direction = try TorchGenerator(seed: 6).normal([shape[0], classes])
    fused.isTraining = true
    reference.isTraining = true
    let output = try fused.forward(images)
    let expected = try reference.forward(images.to(.float64))
    #expect(try relativeDifference(output, expected) < 1e-4)
    try output.backward(direction)
    try expected.backward(direction.to(.float64))
    var largest = 0.0
    for entry in reference.parameters {
      largest = max(largest, try #require(try entry.tensor.grad()).absolute().max().item())
    }
    for (own, other) in zip(fused.parameters, reference.parameters) {
      let wanted = try #require(try other.tensor.grad())
      let difference = try (#require(try own.tensor.grad()).to(.float64) - wanted).absolute().max()
        .item()
      // Gradients that vanish in exact arithmetic (a shift before a batch norm) are only rounding.
      let scale = max(try wanted.absolute().max().item(), 1e-2 * largest)
      #expect(difference <= 1e-4 * scale, "\(own.name): \(difference) of \(scale)")
    }
    for (own, other) in zip(fused.buffers, reference.buffers) {
      #expect(try relativeDifference(own.tensor, other.tensor) < 1e-4, "\(own.name)")
    }
    fused.isTraining = false
    reference.isTraining = false
    let inferred = try withoutGradient { try fused.forward(images) }
    let wanted = try withoutGradient { try reference.forward(images.to(.float64)) }
    #expect(try relativeDifference(inferred, wanted) < 1e-4)
  }

  static let blocks: [(block: BlockSpecification, width: Int)] = [
    (.init(.depthwiseSeparable, channels: 24, squeezeRatio: 0.25, activation: .relu), 24),
    (.init(.depthwiseSeparable, channels: 20, kernelSizes: [5], activation: .hardSwish), 12),
    (.init(.invertedResidual, channels: 24, stride: 2, expansion: 4, squeezeRatio: 0.75), 20),
    (
      .init(.invertedResidual, channels: 24, kernelSizes: [5], expansion: 3, activation: .relu6), 24
    ),
    (
      .init(
        .invertedResidual, channels: 40, kernelSizes: [3, 5, 7, 9, 11], stride: 2, expansion: 4,
        squeezeRatio: 0.75), 28
    ),
    (.init(.invertedResidual, channels: 24, expansion: 2, skipsResidual: true), 24),
    (.init(.mux, channels: 24, expansion: 4, squeezeRatio: 0.75, groupWidth: 2), 24),
    (
      .init(
        .mux, channels: 40, kernelSizes: [5], expansion: 6, squeezeRatio: 0.75,
        leaveOutRatio: 0.25, groupWidth: 2, shuffleGroups: 4), 40
    ),
    (
      .init(
        .mux, channels: 16, expansion: 3, leaveOutRatio: 0, groupWidth: 4, shuffleGroups: 2), 16
    ),
    (
      .init(
        .mux, channels: 32, expansion: 6, squeezeRatio: 0.75, scales: BlockSpecification.paperScales
      ),
      32
    ),
    (
      .init(
        .mux, channels: 32, kernelSizes: [5], expansion: 3, leaveOutRatio: 0.25,
        scales: [.subpixel, .none, .superpixel]), 32
    ),
  ]

  @Test(
    "one step of a block gives the reference's outputs, gradients and statistics",
    arguments: blocks.indices)
  func block(_ index: Int) throws {
    let (block, width) = Self.blocks[index]
    let network = try Self.network(block, width: width)
    let names = network.nodes.count
    let model = try NetworkModel(network, seed: 1)
    // All but flatten and the classifier.
    #expect(try model.installFusedOperations() == names - 2)
    for shape in [[3, 3, 14, 14], [1, 3, 14, 14], [2, 3, 9, 7]] { try Self.compare(network, shape) }
  }

  @Test("TensorFlow's padding is fused: even and odd sides, mixed kernels, the stem")
  func samePadding() throws {
    for (kernels, stride) in [([3], 2), ([5], 2), ([3, 5, 7], 2), ([5], 1)] {
      var architecture = Architecture(
        name: "same", stem: .init(channels: 16),
        stages: [
          [
            .init(
              .invertedResidual, channels: 24, kernelSizes: kernels, stride: stride, expansion: 3,
              squeezeRatio: 0.5)
          ]
        ], head: .init(channels: 16))
      architecture.classes = 5
      architecture.inputSize = ImageSize(28)
      architecture.padding = .same
      let network = try architecture.network()
      let model = try NetworkModel(network, seed: 1)
      #expect(try model.installFusedOperations() == network.nodes.count - 2)
      for shape in [[2, 3, 28, 28], [2, 3, 29, 26], [2, 3, 22, 27], [1, 3, 27, 27]] {
        try Self.compare(network, shape)
      }
    }
  }

  @Test("an activation with its own parameters goes into the fused operations with them")
  func slopes() throws {
    var architecture = Architecture(
      name: "sloped", stem: .init(channels: 16, stride: 1),
      stages: [[.init(.invertedResidual, channels: 16, expansion: 2, squeezeRatio: 0.5)]],
      head: .init(channels: 16))
    architecture.classes = 5
    architecture.inputSize = ImageSize(14)
    architecture.activation = .hardSigmoid(slope: 0.3, valueAtZero: 0.4)
    architecture.excitation.gate = .hardSigmoid(slope: 0.2, valueAtZero: 0.5)
    try Self.compare(architecture.network(), [3, 3, 14, 14])
  }

  @Test(
    "one step of a whole network gives the reference's outputs, gradients and statistics",
    arguments: ["muxnet_xs", "muxnet_s", "muxnet_m", "muxnet_l", "mobilenetv2_050_mux"])
  func wholeNetwork(_ name: String) throws {
    var architecture = try ModelZoo.architecture(named: name)
      .applying(ModelOptions(classes: 10, inputSize: ImageSize(64)))
    // ReLU6 has a test of its own below: rounding carries values across its kinks.
    if architecture.activation == .relu6 { architecture.activation = .hardSwish }
    try Self.compare(architecture.network(), [4, 3, 64, 64])
  }

  /// Where a value lies within rounding of a kink, `float32` and `float64` take different sides, and
  /// all gradients before it move by about a percent. That hits libtorch's own operations as often
  /// as the fused ones, for some inputs and not for others; a wrong kernel would be off for all.
  @Test("a whole network with ReLU6 gives the reference's gradients where no value sits on a kink")
  func wholeNetworkWithKinks() throws {
    let network = try ModelZoo.architecture(named: "mobilenetv2_050_mux")
      .applying(ModelOptions(classes: 10, inputSize: ImageSize(64))).network()
    var errors: [Double] = []
    for seed in UInt64(11)...18 {
      let (fused, reference) = try Self.pair(network)
      let images = try TorchGenerator(seed: seed).normal([4, 3, 64, 64])
      let direction = try TorchGenerator(seed: 6).normal([4, 10])
      for (model, dtype) in [(fused, DType.float32), (reference, .float64)] {
        model.isTraining = true
        try model.forward(images.to(dtype)).backward(direction.to(dtype))
      }
      var worst = 0.0
      let wanted = try reference.parameters.map { try #require(try $0.tensor.grad()) }
      let largest = try wanted.map { try $0.absolute().max().item() as Double }.max() ?? 0
      for (own, other) in zip(fused.parameters, wanted) {
        let difference: Double =
          try (#require(try own.tensor.grad()).to(.float64) - other).absolute().max().item()
        worst = max(worst, difference / max(try other.absolute().max().item(), 1e-2 * largest))
      }
      errors.append(worst)
    }
    #expect(try #require(errors.min()) < 1e-4, "\(errors)")
    #expect(try #require(errors.max()) < 0.2, "\(errors)")
  }

  @Test("one thread and two give the same bits")
  func threads() throws {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(ModelOptions(classes: 10, inputSize: ImageSize(32))).network()
    let images = try TorchGenerator(seed: 5).normal([5, 3, 32, 32])
    let threads = TorchRuntime.threads
    defer { try? TorchRuntime.setThreads(threads) }
    var runs: [[Tensor]] = []
    for count in [1, 2] {
      try TorchRuntime.setThreads(count)
      let model = try NetworkModel(network, seed: 3)
      model.isTraining = true
      // The value before libtorch's own classifier.
      let output = try model.forward(images, capturing: ["flatten"]).layers["flatten"]
      try #require(output).sum().backward()
      let gradients = try model.parameters.compactMap { try $0.tensor.grad() }
      runs.append(try [#require(output).detach()] + gradients + model.buffers.map(\.tensor))
    }
    for (one, two) in zip(runs[0], runs[1]) { #expect(try one.isIdentical(to: two)) }
  }

  @Test("autocast, double precision and a stride through the input fall back to single nodes")
  func declined() throws {
    let (block, width) = Self.blocks[0]
    let network = try Self.network(block, width: width)
    let double = try NetworkModel(network, seed: 3, dtype: .float64)
    #expect(try double.installFusedOperations() == 0)
    let model = try NetworkModel(network, seed: 3)
    let images = try TorchGenerator(seed: 5).normal([2, 3, 14, 14])
    let expected = try withoutGradient { try model.forward(images) }
    let short = try withAutocast(.cpu) { try withoutGradient { try model.forward(images) } }
    #expect(short.dtype == .bfloat16)
    #expect(try relativeDifference(short, expected) < 0.1)
    // A gradient of the images themselves: the stem declines, the rest stays fused.
    try images.setRequiresGrad()
    try model.forward(images).sum().backward()
    #expect(try images.grad() != nil)
  }
}
