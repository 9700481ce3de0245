// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

/// Plans with products of bfloat16 and of 8 bits. Buffers end at an untouchable page.
@Suite("Reduced precision")
struct PrecisionTests {
  /// Weights −1, 0 and 1 (mostly 0 in long sums), so that small whole numbers stay exact.
  private func wholeWeights(_ network: Network, seed: UInt64) -> TensorArchive {
    var archive = RandomWeights.archive(network, seed: seed)
    var stream = Stream(seed)
    for parameter in network.parameters {
      let terms = parameter.shape.dropFirst().reduce(1, *)
      let values = (0..<parameter.count).map { _ -> Float in
        Int.random(in: 0..<max(terms, 3), using: &stream) < 3
          ? Float(Int.random(in: -1...1, using: &stream)) : 0
      }
      archive[parameter.name] = ArchivedTensor(values, shape: parameter.shape)
    }
    return archive
  }

  /// The greatest error of whole numbers, which should be none.
  private func wholeError(
    _ network: Network, set: InstructionSet, precision: Precision, threads: Int = 1
  ) throws -> Float {
    let weights = wholeWeights(network, seed: 5)
    let size = network.inputSize
    var stream = Stream(9)
    let input = (0..<network.inputChannels * size.height * size.width).map { _ in
      Float(Int.random(in: -3...3, using: &stream))
    }
    let calibrator = try Calibrator(network, weights: weights)
    try calibrator.add(input)
    // With a scale of 1, whole numbers up to 127 are exact.
    let ranges = calibrator.calibration.ranges.mapValues { range in
      #expect(range.low >= -128 && range.high <= 127, "the test's numbers are too large")
      return Calibration.ValueRange(low: -128, high: 127)
    }
    let plan = try InferencePlan(
      network, weights: weights, inputSize: size, instructionSet: set, isGuarded: true,
      precision: precision, calibration: Calibration(ranges: ranges))
    let actual = try InferenceEngine(plan, threads: threads).run(input)
    let expected = SlowInterpreter(network: network, weights: weights).run(
      input, height: size.height, width: size.width)
    // Whole numbers that are all 0 would make a last bit of the scales look large.
    let isOneAtLeast = expected.contains { abs($0) >= 1 }
    return isOneAtLeast ? difference(actual, expected) : difference(actual + [1], expected + [1])
  }

  private static let cases: [(InstructionSet, Precision)] = availableSets.flatMap { set in
    [(set, Precision.bfloat16), (set, .int8)]
  }

  @Test("Whole numbers stay exact with TensorFlow's padding", arguments: cases)
  func samePadding(set: InstructionSet, precision: Precision) throws {
    for (height, width) in [(14, 14), (13, 14), (12, 31), (2, 1)] {
      for (kernel, stride) in [(3, 2), (5, 2), (7, 2), (5, 1)] {
        let size = ImageSize(height: height, width: width)
        var builder = NetworkBuilder(name: "same", inputChannels: 3, inputSize: size)
        var x = builder.add(
          "stem",
          .convolution(
            Convolution(
              inputChannels: 3, outputChannels: 5, kernelSize: 3, stride: kernel == 3 ? 2 : 1,
              paddingRule: .same)), builder.input, channels: 5)
        x = builder.convolution(x, "expand", outputChannels: 21)
        x = builder.activation(x, "act", .relu)
        x = builder.add(
          "spatial",
          .convolution(
            Convolution(
              inputChannels: 21, outputChannels: 21, kernelSize: kernel, stride: stride, groups: 21,
              paddingRule: .same)), x, channels: 21)
        _ = builder.convolution(x, "project", outputChannels: 6)
        let error = try wholeError(builder.build(), set: set, precision: precision)
        #expect(error < 1e-5, "k\(kernel) s\(stride) \(size)")
      }
    }
  }

  @Test("Whole numbers stay exact through expansion, convolution and projection", arguments: cases)
  func blocks(set: InstructionSet, precision: Precision) throws {
    let sizes = [
      ImageSize(height: 1, width: 1), ImageSize(height: 7, width: 7),
      ImageSize(height: 13, width: 29), ImageSize(height: 14, width: 9),
    ]
    for (index, kernel) in [1, 2, 3, 4, 5, 7, 9, 11, 13].enumerated() {
      for width in [1, 2, 3, 8] {
        let stride = (index + width) % 3 + 1
        let size = sizes[(index + width) % sizes.count]
        let channels = width * [3, 17, 8, 33][(index * 3 + width) % 4]
        if kernel % 2 == 0 && size.height == 1 { continue }
        var builder = NetworkBuilder(name: "block", inputChannels: 5, inputSize: size)
        var x = builder.convolution(builder.input, "expand", outputChannels: channels)
        x = builder.activation(x, "act1", kernel == 3 ? .identity : .relu)
        x = builder.convolution(
          x, "spatial", outputChannels: channels, kernelSize: kernel, stride: stride,
          groups: channels / width, hasBias: width % 2 == 0)
        x = builder.activation(x, "act2", width == 2 ? .relu6 : .identity)
        _ = builder.convolution(x, "project", outputChannels: 6 + index, hasBias: true)
        let error = try wholeError(
          builder.build(), set: set, precision: precision, threads: 1 + index % 2)
        #expect(error < 1e-5, "k\(kernel) s\(stride) width \(width), \(channels), \(size)")
      }
    }
  }

  @Test("Whole numbers stay exact through stems, 1×1 and residual sums", arguments: cases)
  func stems(set: InstructionSet, precision: Precision) throws {
    for (kernel, stride, padding, channels) in [
      (3, 2, 1, 24), (3, 1, 1, 17), (5, 2, 0, 8), (7, 3, 3, 33), (2, 3, 2, 5),
    ] {
      for size in [ImageSize(height: 23, width: 34), ImageSize(height: 40, width: 9)] {
        // Alone, the stem is the producer of the depthwise convolution; added again, too, but kept;
        // with many input channels it is a step of its own.
        for (inner, isAdded) in [(3, false), (3, true), (6, true)] {
          var builder = NetworkBuilder(name: "stem", inputChannels: inner, inputSize: size)
          let stem = builder.convolution(
            builder.input, "stem", outputChannels: channels, kernelSize: kernel, stride: stride,
            padding: padding)
          let act = builder.activation(stem, "act", .relu6)
          var x = builder.convolution(
            act, "dw", outputChannels: channels, kernelSize: 3, stride: 1, groups: channels)
          x = builder.convolution(x, "project", outputChannels: channels)
          if isAdded { x = builder.sum(x, act, "sum") }
          _ = builder.convolution(x, "head", outputChannels: 19)
          let error = try wholeError(builder.build(), set: set, precision: precision)
          #expect(error < 1e-5, "k\(kernel) s\(stride) \(channels) \(size) \(inner) \(isAdded)")
        }
      }
    }
  }

  @Test("Multiplexed blocks stay exact", arguments: cases)
  func multiplexed(set: InstructionSet, precision: Precision) throws {
    for (kernel, channels, factor) in [
      (3, 1, 2), (5, 4, 2), (3, 5, 2), (7, 17, 2), (3, 2, 3), (9, 1, 2),
    ] {
      for size in [ImageSize(height: 7, width: 15), ImageSize(height: 56, width: 40)] {
        func branch(
          _ name: String, _ inner: Int, _ multiplexing: SpatialMultiplexing
        ) -> BranchedConvolution.Branch {
          BranchedConvolution.Branch(
            name: name,
            convolution: Convolution(
              inputChannels: inner, outputChannels: inner, kernelSize: kernel, groups: inner),
            multiplexing: multiplexing, factor: factor)
        }
        let branched = BranchedConvolution(branches: [
          branch("a", factor * factor * channels, .subpixel), branch("b", 7, .none),
          branch("c", channels, .superpixel),
        ])
        for activation in [Activation.relu, .identity] {
          var builder = NetworkBuilder(name: "mux", inputChannels: 5, inputSize: size)
          var x = builder.convolution(
            builder.input, "expand", outputChannels: branched.inputChannels)
          x = builder.branchedConvolution(x, "mux", branched)
          x = builder.activation(x, "act", activation)
          _ = builder.convolution(x, "project", outputChannels: 21, hasBias: true)
          let error = try wholeError(
            builder.build(), set: set, precision: precision, threads: 1 + channels % 2)
          #expect(error < 1e-5, "k\(kernel) \(channels) \(size) \(activation)")
        }
      }
    }
  }

  /// The greatest difference from the definition, with random weights.
  private func roundingError(
    _ network: Network, size: ImageSize, set: InstructionSet, precision: Precision, threads: Int = 1
  ) throws -> Float {
    let weights = RandomWeights.archive(network, seed: 7)
    let input = pixels(network.inputChannels * size.height * size.width, seed: 7)
    let calibrator = try Calibrator(network, weights: weights, inputSize: size)
    try calibrator.add(input)
    let plan = try InferencePlan(
      network, weights: weights, inputSize: size, instructionSet: set, isGuarded: true,
      precision: precision, calibration: calibrator.calibration)
    let actual = try InferenceEngine(plan, threads: threads).run(input)
    let expected = SlowInterpreter(network: network, weights: weights).run(
      input, height: size.height, width: size.width)
    return difference(actual, expected)
  }

  @Test("Networks of the zoo come out within the precision", arguments: cases)
  func zoo(set: InstructionSet, precision: Precision) throws {
    for name in ["muxnet_xs", "muxnet_m", "mobilenetv2_100"] {
      let network = try ModelZoo.architecture(named: name).applying(ModelOptions(classes: 12))
        .network()
      let error = try roundingError(
        network, size: ImageSize(64), set: set, precision: precision, threads: 2)
      #expect(error < (precision == .int8 ? 0.3 : 0.03), "\(name): \(error)")
    }
  }

  @Test("Large fully connected layers of 8 bits lose little more than their weights do")
  func largeLinear() throws {
    for set in availableSets {
      // 1,028 inputs do not fill whole vectors; 300 outputs do not fill whole blocks.
      for (inner, outer) in [(1024, 300), (1028, 300), (1026, 300)] {
        var builder = NetworkBuilder(name: "linear", inputChannels: inner, inputSize: ImageSize(2))
        _ = builder.classify(builder.input, classes: outer)
        let error = try roundingError(
          builder.build(), size: ImageSize(2), set: set, precision: .int8, threads: 2)
        #expect(error < 0.01, "\(set), \(inner) to \(outer): \(error)")
      }
    }
  }

  @Test("A projection writes the cells of the next expansion, if nothing else reads it")
  func packedProjections() throws {
    for isReadAgain in [false, true] {
      for precision in [Precision.bfloat16, .int8] {
        let size = ImageSize(height: 9, width: 13)
        var builder = NetworkBuilder(name: "two blocks", inputChannels: 5, inputSize: size)
        var x = builder.input
        var projected = x
        for (index, channels) in [21, 24].enumerated() {
          x = builder.convolution(x, "expand\(index)", outputChannels: channels)
          x = builder.activation(x, "act\(index)", .relu)
          x = builder.convolution(
            x, "dw\(index)", outputChannels: channels, kernelSize: 3, groups: channels)
          x = builder.convolution(x, "project\(index)", outputChannels: 19 + index)
          if index == 0 { projected = x }
        }
        if isReadAgain {
          let head = builder.convolution(projected, "again", outputChannels: 20)
          x = builder.sum(x, head, "sum")
        }
        let network = try builder.build()
        for set in availableSets {
          let error = try wholeError(network, set: set, precision: precision)
          #expect(error < 1e-5, "\(set) \(precision)")
        }
        let plan = try InferencePlan(
          network, weights: RandomWeights.archive(network, seed: 1), precision: .bfloat16)
        let packs = plan.steps.count { $0.kind == "pack" && $0.name == "dw1" }
        #expect(packs == (isReadAgain ? 1 : 0))
      }
    }
  }

  @Test("Gates are multiplied into the weights", arguments: cases)
  func gates(set: InstructionSet, precision: Precision) throws {
    for channels in [5, 16, 40] {
      var builder = NetworkBuilder(
        name: "gate", inputChannels: 4, inputSize: ImageSize(height: 9, width: 12))
      var x = builder.convolution(builder.input, "expand", outputChannels: channels)
      x = builder.activation(x, "act1", .swish)
      x = builder.convolution(
        x, "dw", outputChannels: channels, kernelSize: 5, groups: channels)
      x = builder.activation(x, "act2", .swish)
      x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
      _ = builder.convolution(x, "project", outputChannels: 21)
      let error = try roundingError(
        builder.build(), size: ImageSize(height: 9, width: 12), set: set, precision: precision)
      #expect(error < (precision == .int8 ? 0.05 : 0.02), "\(channels) channels: \(error)")
    }
  }

  @Test("The result is the same to the bit for every number of threads", arguments: cases)
  func threads(set: InstructionSet, precision: Precision) throws {
    let network = try ModelZoo.architecture(named: "muxnet_m").applying(ModelOptions(classes: 12))
      .network()
    let weights = RandomWeights.archive(network, seed: 3)
    let input = pixels(3 * 64 * 64, seed: 1)
    let calibrator = try Calibrator(network, weights: weights, inputSize: ImageSize(64))
    try calibrator.add(input)
    let plan = try InferencePlan(
      network, weights: weights, inputSize: ImageSize(64), instructionSet: set,
      precision: precision, calibration: calibrator.calibration)
    let reference = try InferenceEngine(plan).run(input)
    for threads in [2, 3] {
      #expect(try InferenceEngine(plan, threads: threads).run(input) == reference)
    }
    #expect(
      try InferenceEngine(plan, threads: 2).run(input + input, count: 2)
        == reference + reference)
  }

  @Test("8 bits without a calibration are an error that says what to do")
  func missingCalibration() throws {
    let network = try ModelZoo.architecture(named: "muxnet_m").applying(ModelOptions(classes: 12))
      .network()
    let weights = RandomWeights.archive(network, seed: 3)
    #expect(throws: RuntimeError.calibration(layer: "blocks.0.0.conv_dw/gathered")) {
      try InferencePlan(network, weights: weights, precision: .int8)
    }
  }
}
