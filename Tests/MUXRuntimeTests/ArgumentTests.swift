// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// What callers hand over is theirs to get wrong: an error of one line, never the end of the process.
@Suite("Arguments of the runtime")
struct ArgumentTests {
  private static func network(size: Int = 16) throws -> Network {
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(size))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    x = builder.activation(x, "act", .relu)
    x = builder.convolution(x, "head", outputChannels: 24, hasBias: true)
    _ = builder.classify(x, classes: 5)
    return try builder.build()
  }

  private static func plan() throws -> InferencePlan {
    let network = try network()
    return try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
  }

  private static let odd = [-1, Int.min, Int.max, 1 << 31, 1 << 62, -(1 << 62)]

  @Test("Numbers of images")
  func imageCounts() throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan, threads: 2)
    let image = pixels(plan.inputShape.count, seed: 1)
    #expect(try engine.run([], count: 0) == [])
    for count in Self.odd {
      #expect(throws: RuntimeError.self) { try engine.run(image, count: count) }
      #expect(throws: RuntimeError.self) { try engine.run([], count: count) }
    }
    #expect(throws: RuntimeError.imageCount(-1)) { try engine.run(image, count: -1) }
    #expect(throws: RuntimeError.self) { try engine.run(image, count: 0) }
    #expect(throws: RuntimeError.self) { try engine.run(image, count: 2) }
    #expect(throws: RuntimeError.self) { try engine.run([]) }
    #expect(try engine.run(image, count: 1) == engine.run(image))
  }

  @Test("Numbers of threads", arguments: [0, -1, 1025, .min, .max, 1 << 32])
  func threads(count: Int) throws {
    let plan = try Self.plan()
    #expect(throws: RuntimeError.threads(count)) { try InferenceEngine(plan, threads: count) }
    #expect(throws: RuntimeError.threads(count)) { try RuntimeBenchmark(plan, threads: count) }
  }

  @Test("Numbers of runs and of images that are timed")
  func runs() throws {
    let benchmark = try RuntimeBenchmark(Self.plan(), threads: 1)
    for count in [0, -1, .min] {
      #expect(throws: RuntimeError.runCount(count)) { try benchmark.latency(runs: count) }
      #expect(throws: RuntimeError.runCount(count)) { try benchmark.profile(runs: count) }
      #expect(throws: RuntimeError.runCount(count)) {
        try benchmark.batchLatency(count: 2, runs: count)
      }
    }
    #expect(throws: RuntimeError.runCount(-5)) { try benchmark.latency(warmUp: -5, runs: 1) }
    for count in Self.odd + [0] {
      #expect(throws: RuntimeError.imageCount(count)) {
        try benchmark.batchLatency(count: count, runs: 1)
      }
    }
  }

  @Test("Sizes of images", arguments: odd + [0, 1 << 20])
  func sizes(side: Int) throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    let folder = try TemporaryFolder()
    try PackedModel.write(network, weights: weights, to: folder("m"))
    let model = try PackedModel(contentsOf: folder("m"))
    for size in [
      ImageSize(side), ImageSize(height: side, width: 16), ImageSize(height: 16, width: side),
    ] where side != 1 << 20 || size.height == size.width {
      #expect(throws: (any Error).self) {
        try InferencePlan(network, weights: weights, inputSize: size)
      }
      #expect(throws: (any Error).self) { try InferencePlan(model, inputSize: size) }
      #expect(throws: (any Error).self) {
        try Calibrator(network, weights: weights, inputSize: size)
      }
    }
  }

  @Test("Sets of instructions that this processor lacks")
  func instructionSets() throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    for set in InstructionSet.allCases {
      #expect((set.measuredPeak() > 0) == set.isAvailable)
      guard !set.isAvailable else { continue }
      #expect(throws: RuntimeError.instructionSet(set.rawValue)) {
        try InferencePlan(network, weights: weights, instructionSet: set)
      }
    }
  }

  @Test("What would be written as a file that cannot be read is refused")
  func writing() throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    let folder = try TemporaryFolder()
    #expect(throws: RuntimeError.self) {
      try PackedModel.write(network, weights: weights, classNames: ["one"], to: folder("m"))
    }
    for lanes in [[], [0], [-1], [7], [1 << 40]] {
      #expect(throws: RuntimeError.self) {
        try PackedModel.write(network, weights: weights, lanes: lanes, to: folder("m"))
      }
    }
    #expect(throws: WeightsMismatchError.self) {
      try ModelFile(network, weights: TensorArchive()).write(to: folder("m"))
    }
    #expect(!PackedModel.isPacked(folder("m")))
  }

  @Test("Results that are not finite are an error, in a batch the image is named")
  func notFinite() throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan, threads: 2)
    let size = plan.inputShape.count
    var batch = pixels(size * 3, seed: 2)
    for index in size..<2 * size { batch[index] = index % 2 == 0 ? 3e38 : -3e38 }
    #expect(throws: RuntimeError.resultNotFinite(network: "small", image: 1)) {
      try engine.run(batch, count: 3)
    }
    #expect(throws: RuntimeError.resultNotFinite(network: "small", image: 0)) {
      try engine.run(Array(batch[size..<2 * size]))
    }
    #expect(try engine.run(Array(batch[..<size])).allSatisfy(\.isFinite))
  }

  @Test("Each error is one line")
  func lines() {
    let errors: [RuntimeError] = [
      .imageCount(-1), .guessCount(-1), .runCount(0), .threads(0), .notFinite, .engineInUse,
      .resultNotFinite(network: "n", image: 3),
    ]
    for error in errors {
      #expect(!error.description.contains("\n") && error.description.count > 20)
      #expect(error.localizedDescription == error.description)
    }
  }
}

/// The weights of a packed file serve images of every size that the network takes (also where a
/// convolution has one pixel in the one size and several in the other).
@Suite("Packed models for images of other sizes")
struct PackedSizeTests {
  private static let precisions: [Precision] = [.float32, .bfloat16, .int8]

  private func check(
    _ network: Network, sizes: [ImageSize], precision: Precision, sets: [InstructionSet]
  ) throws {
    let weights = RandomWeights.archive(network, seed: 4)
    var calibration: Calibration?
    if precision == .int8 {
      let calibrator = try Calibrator(network, weights: weights)
      try calibrator.add(pixels(network.inputShape.count, seed: 3))
      calibration = calibrator.calibration
    }
    let folder = try TemporaryFolder()
    try PackedModel.write(
      network, weights: weights, precision: precision, calibration: calibration, to: folder("m"))
    let model = try PackedModel(contentsOf: folder("m"))
    for set in sets {
      for size in sizes {
        let direct = try InferencePlan(
          network, weights: weights, inputSize: size, instructionSet: set, precision: precision,
          calibration: calibration)
        let packed = try InferencePlan(model, inputSize: size, instructionSet: set)
        let input = pixels(direct.inputShape.count, seed: 5)
        let expected = try InferenceEngine(direct).run(input)
        #expect(try InferenceEngine(packed).run(input) == expected, "\(size) \(set) \(precision)")
        if precision == .float32 {
          let slow = SlowInterpreter(network: network, weights: weights).run(
            input, height: size.height, width: size.width)
          #expect(difference(expected, slow) < 2e-5, "\(size) \(set)")
        }
      }
    }
  }

  @Test("muxnet_xs on images of a few pixels", arguments: precisions)
  func small(precision: Precision) throws {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(ModelOptions(classes: 6, inputSize: ImageSize(64))).network()
    try check(
      network,
      sizes: Portion.of(
        [1, 2, 3, 7, 31, 33].map { ImageSize($0) } + [ImageSize(height: 1, width: 40)],
        turn: Self.precisions.firstIndex(of: precision) ?? 0),
      precision: precision, sets: [.current])
  }

  /// A head that is one pixel in images of 8×8, and 40 to 600 channels wide, so that each way of
  /// packing it comes up; behind it a strided one.
  private func singlePixel(_ width: Int, size: Int) throws -> Network {
    var builder = NetworkBuilder(name: "single", inputSize: ImageSize(size))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: width, kernelSize: 3, stride: 8, hasBias: true)
    x = builder.activation(x, "act", .relu)
    x = builder.convolution(x, "head", outputChannels: width + 4, hasBias: true)
    x = builder.activation(x, "act2", .hardSwish)
    x = builder.convolution(x, "strided", outputChannels: 12, stride: 2, hasBias: true)
    _ = builder.classify(x, classes: 3)
    return try builder.build()
  }

  @Test(
    "Convolutions of one pixel at the network's own size, of several at another, and the other way",
    arguments: precisions, [8, 24])
  func single(precision: Precision, size: Int) throws {
    for width in [20, 200, 520] {
      try check(
        singlePixel(width, size: size), sizes: [8, 16, 24].map { ImageSize($0) },
        precision: precision, sets: width == 20 ? availableSets : [.current])
    }
  }
}

extension Network {
  fileprivate var inputShape: Shape {
    Shape(channels: inputChannels, height: inputSize.height, width: inputSize.width)
  }
}
