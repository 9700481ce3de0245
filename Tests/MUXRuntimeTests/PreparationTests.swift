// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXWeights
import Testing

/// An image is prepared in an app as it was in training.
@Suite("Preparation of images")
struct PreparationTests {
  private static let names = ["a", "b", "c", "d", "e"]

  private static func network(
    _ size: ImageSize = ImageSize(16), channels: Int = 3, classes: Int = 5
  ) throws -> Network {
    var builder = NetworkBuilder(name: "small", inputChannels: channels, inputSize: size)
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    x = builder.activation(x, "act", .relu)
    _ = builder.classify(x, classes: classes)
    return try builder.build()
  }

  private static func image(width: Int, height: Int, channels: Int = 3) throws -> Image {
    var bytes: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<channels { bytes.append(UInt8((7 * x + 13 * y + 50 * c) % 256)) }
      }
    }
    return try Image(
      width: width, height: height, format: channels == 3 ? .rgb : .grey, bytes: bytes)
  }

  private static func pipeline(
    _ steps: [ImageTransform], channels: Int = 3, order: ChannelOrder = .rgb
  ) -> ImagePipeline {
    ImagePipeline(
      transforms: steps, channels: channels, channelOrder: order,
      mean: Array([0.4, 0.5, 0.3].prefix(channels)),
      standardDeviation: Array([0.2, 0.3, 0.25].prefix(channels)))
  }

  private static let pipelines: [ImagePipeline] =
    Interpolation.allCases.flatMap { filter in
      [
        pipeline([.resize(Resize(size: 16, interpolation: filter))]),
        pipeline([.resize(Resize(shorterSide: 18, interpolation: filter)), .centerCrop(16)]),
        pipeline(
          [.resize(Resize(size: 16, interpolation: filter))], channels: 1),
      ]
    } + [
      pipeline([.centerCrop(16)]), pipeline([.centerCrop(16)], order: .bgr),
      // The middle reaches beyond the image: zeros are put around it.
      pipeline([.resize(Resize(shorterSide: 12)), .centerCrop(16)]),
    ]

  @Test("classify gives what the steps one by one and the network give", arguments: pipelines)
  func classify(pipeline: ImagePipeline) throws {
    let network = try Self.network(channels: pipeline.channels)
    let model = try PackedModel(
      ByteRegion(
        PackedModel.bytes(
          network, weights: RandomWeights.archive(network, seed: 1), classNames: Self.names,
          pipeline: pipeline)), path: "memory")
    #expect(model.pipeline == pipeline)
    let engine = try InferenceEngine(InferencePlan(model), threads: 2)
    let images = try [
      Self.image(width: 30, height: 22), Self.image(width: 16, height: 16),
      Self.image(width: 9, height: 40), Self.image(width: 31, height: 17, channels: 1),
    ]
    var all: [[Prediction.Guess]] = []
    for image in images {
      // Each step on its own, and the normalisation by hand.
      var prepared = image
      var random = RandomStream(seed: 0, purpose: .augmentation)
      for step in pipeline.transforms { prepared = try step.apply(to: prepared, random: &random) }
      prepared = prepared.converted(toChannels: pipeline.channels)
      var values: [Float] = []
      for channel in 0..<pipeline.channels {
        let place = pipeline.channelOrder == .bgr ? 2 - channel : channel
        for y in 0..<16 {
          for x in 0..<16 {
            values.append(
              (Float(prepared[x, y, place]) / 255 - pipeline.mean[channel])
                / pipeline.standardDeviation[channel])
          }
        }
      }
      #expect(try engine.plan.pixels(of: image) == values)
      let outputs = try engine.run(values)
      let guesses = try engine.classify(image)
      #expect(guesses.map(\.index) == outputs.indices.sorted { outputs[$0] > outputs[$1] })
      #expect(guesses.map(\.label) == guesses.map { Self.names[$0.index] })
      let sum = outputs.reduce(0.0) { $0 + exp(Double($1)) }
      for guess in guesses {
        #expect(abs(guess.probability - exp(Double(outputs[guess.index])) / sum) < 1e-5)
      }
      #expect(try engine.classify(image, top: 2) == Array(guesses.prefix(2)))
      all.append(guesses)
    }
    #expect(try engine.classify(images) == all)
    let many = Array(repeatElement(images, count: 9).joined())
    #expect(try engine.classify(many) == Array(repeatElement(all, count: 9).joined()))
  }

  @Test("Counts of guesses: none, more than classes, less than none; and no images")
  func counts() throws {
    let network = try Self.network()
    let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
    let engine = try InferenceEngine(plan)
    let image = try Self.image(width: 20, height: 20)
    #expect(try engine.classify(image, top: 0) == [])
    #expect(try engine.classify(image, top: .max).count == 5)
    #expect(try engine.classify([]) == [])
    for count in [-1, Int.min] {
      #expect(throws: RuntimeError.guessCount(count)) { try engine.classify(image, top: count) }
      #expect(throws: RuntimeError.guessCount(count)) { try engine.classify([], top: count) }
    }
  }

  @Test("The cut of a resized image is made without what lies around it")
  func strips() throws {
    let pipeline = Self.pipeline([
      .resize(Resize(shorterSide: 18, interpolation: .bicubic)), .centerCrop(16),
    ])
    let network = try Self.network()
    let plan = try InferencePlan(
      network, weights: RandomWeights.archive(network, seed: 1), pipeline: pipeline)
    let engine = try InferenceEngine(plan)
    for (width, height) in [(1, 1_000_000), (60_000, 2), (1, 1)] {
      let image = Image(width: width, height: height, color: [200, 100, 50])
      #expect(try engine.classify(image).count == 5)
      #expect(try Set(plan.pixels(of: image)).count == 3)
    }
    // Without a cut, the image itself would be too large: a line says so.
    let open = Self.pipeline([.resize(Resize(shorterSide: 1000))])
    let strip = Image(width: 1, height: 1_000_000, color: [1, 2, 3])
    #expect(throws: ImageError.self) { try open.prepared(strip) }
  }

  @Test(
    "A preparation for another size than the model's is scaled with it; sizes that differ are named"
  )
  func sizes() throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    let pipeline = Self.pipeline([.resize(Resize(shorterSide: 20)), .centerCrop(16)])
    let plan = try InferencePlan(
      network, weights: weights, inputSize: ImageSize(32), pipeline: pipeline)
    #expect(
      plan.pipeline?.transforms == [.resize(Resize(shorterSide: 40)), .centerCrop(32)])
    #expect(try InferenceEngine(plan).classify(Self.image(width: 70, height: 50)).count == 5)
    // Trained on images of 24×24 by a network for 16×16: the plan is for what was trained.
    let larger = try InferencePlan(
      network, weights: weights, pipeline: Self.pipeline([.resize(Resize(size: 24))]))
    #expect(larger.inputShape.height == 24 && larger.inputShape.width == 24)
    let flat = try Self.network(ImageSize(height: 8, width: 24))
    let wide = try InferencePlan(flat, weights: RandomWeights.archive(flat, seed: 1))
    #expect(try wide.pixels(of: Self.image(width: 5, height: 9)).count == 3 * 8 * 24)
    let free = try InferencePlan(network, weights: weights, pipeline: Self.pipeline([]))
    let error = #expect(throws: RuntimeError.self) {
      try InferenceEngine(free).classify(Self.image(width: 17, height: 16))
    }
    #expect(error?.description.contains("17×16") == true)
    #expect(error?.description.contains("16×16") == true)
  }

  @Test("What cannot be prepared or classified says so in a line")
  func refusals() throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    let folder = try TemporaryFolder()
    for (pipeline, words) in [
      (Self.pipeline([.randomCrop(RandomCrop(size: 16, padding: 2))]), "randomCrop"),
      (Self.pipeline([.horizontalFlip()]), "horizontalFlip"),
      (Self.pipeline([.resize(Resize(size: 60_000))]), "60000×60000"),
      (Self.pipeline([.resize(Resize(shorterSide: 9000)), .centerCrop(16)]), "too large"),
      (Self.pipeline([.centerCrop(16)], channels: 1), "1 channel(s)"),
    ] {
      let makes: [() throws -> Void] = [
        { _ = try InferencePlan(network, weights: weights, pipeline: pipeline) },
        { try PackedModel.write(network, weights: weights, pipeline: pipeline, to: folder("m")) },
      ]
      for make in makes {
        let error = #expect(throws: RuntimeError.self) { try make() }
        #expect(error?.description.contains(words) == true, "\(error.debugDescription)")
        #expect(error?.description.contains("\n") == false)
      }
    }
    let four = try Self.network(channels: 4)
    let plan = try InferencePlan(four, weights: RandomWeights.archive(four, seed: 1))
    #expect(plan.pipeline == nil)
    #expect(throws: RuntimeError.self) {
      try InferenceEngine(plan).classify(Self.image(width: 16, height: 16))
    }
    var builder = NetworkBuilder(name: "planes", inputSize: ImageSize(16))
    _ = builder.convolution(builder.input, "conv", outputChannels: 4, kernelSize: 3)
    let planes = try builder.build()
    let dense = try InferencePlan(planes, weights: RandomWeights.archive(planes, seed: 1))
    #expect(throws: RuntimeError.notClassifier(network: "planes")) {
      try InferenceEngine(dense).classify(Self.image(width: 16, height: 16))
    }
  }

  /// A packed file whose description is changed, with honest checksums.
  private func forged(_ old: String, _ new: String) throws -> [UInt8] {
    let network = try Self.network()
    var bytes = try PackedModel.bytes(
      network, weights: RandomWeights.archive(network, seed: 1),
      pipeline: Self.pipeline([.resize(Resize(size: 16, interpolation: .bicubic))]))
    let text = Array(old.utf8)
    let place = try #require(
      (0..<bytes.count - text.count).first { Array(bytes[$0..<$0 + text.count]) == text })
    #expect(old.utf8.count == new.utf8.count)
    bytes.replaceSubrange(place..<place + text.count, with: Array(new.utf8))
    PackedModel.seal(&bytes)
    return bytes
  }

  @Test(
    "A packed file whose preparation is absurd is refused in one line",
    arguments: [
      (#""size":16}"#, #""size":-6}"#, "a size must be positive"),
      (#""bicubic","size":16"#, #""bicubic","size":1e"#, "description cannot be read"),
      (#""interpolation":"bicubic","size":16"#, #""size":6553,"interpolation":"cubic""#, "cubic"),
      (
        #""interpolation":"bicubic","size":16"#, #""size":[65535,               65535]"#,
        "65535"
      ),
      (#"{"resize":"#, #"{"rescal":"#, "unknown step 'rescal'"),
      (#""standardDeviation":[0.2,"#, #""standardDeviation":[0.0,"#, "above 0"),
      (#""standardDeviation":[0.2,"#, #""standardDeviation":[-.2,"#, "cannot be read"),
    ])
  func absurd(old: String, new: String, words: String) throws {
    let bytes = try forged(old, new)
    let error = #expect(throws: RuntimeError.self) {
      try PackedModel(ByteRegion(bytes), path: "m")
    }
    #expect(error?.description.contains(words) == true, "\(error.debugDescription)")
    #expect(error?.description.hasPrefix("m: ") == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test("The version of the format says whether a preparation is there")
  func versions() throws {
    let network = try Self.network()
    let weights = RandomWeights.archive(network, seed: 1)
    let pipeline = Self.pipeline([.centerCrop(16)])
    func version(_ precision: Precision, _ pipeline: ImagePipeline?) throws -> UInt8 {
      try PackedModel.bytes(
        network, weights: weights, pipeline: pipeline, precision: precision)[8]
    }
    #expect(try version(.float32, nil) == 1 && version(.bfloat16, nil) == 2)
    #expect(try version(.float32, pipeline) == 3 && version(.bfloat16, pipeline) == 3)
  }
}

/// Files that earlier versions wrote.
@Suite("Runtime files of version 0.1")
struct EarlierFileTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/0.1/runtime").path

  private static func image() throws -> Image {
    var bytes: [UInt8] = []
    for y in 0..<22 {
      for x in 0..<30 {
        for c in 0..<3 { bytes.append(UInt8((7 * x + 13 * y + 50 * c) % 256)) }
      }
    }
    return try Image(width: 30, height: 22, bytes: bytes)
  }

  @Test(
    "prepare images as that program's predict did",
    arguments: [
      ("float32.muxnet", "float32"), ("int8.muxnet", "int8"), ("run.safetensors", "float32"),
    ])
  func predictions(file: String, precision: String) throws {
    let expected = try JSONDecoder().decode(
      [String: [String: Double]].self,
      from: Data(contentsOf: URL(filePath: "\(Self.folder)/expected.json")))
    let plan = try InferencePlan(model: "\(Self.folder)/\(file)")
    #expect(plan.precision.rawValue == precision)
    #expect(plan.classNames == ["blue", "green", "red"])
    #expect(
      plan.pipeline?.transforms == [.resize(Resize(size: 16, interpolation: .bicubic))])
    let guesses = try InferenceEngine(plan).classify(Self.image())
    let probabilities = try #require(expected[precision])
    #expect(guesses.count == probabilities.count)
    for guess in guesses {
      // Processors differ in their last bits, and 8 bits in what rounds up.
      let difference = abs(guess.probability - (probabilities[guess.label] ?? -1))
      #expect(difference < (precision == "int8" ? 5e-3 : 1e-4), "\(guess)")
    }
  }
}

@Suite("Images from buffers")
struct BufferTests {
  @Test(
    "Formats and strides give the pixels of the packed RGB image", arguments: PixelFormat.allCases)
  func formats(format: PixelFormat) throws {
    let width = 5, height = 3
    var stream = Stream(3)
    let colors = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &stream) }
    let places: [Int] =
      switch format {
      case .rgb, .rgba: [0, 1, 2]
      case .bgr, .bgra: [2, 1, 0]
      case .argb: [1, 2, 3]
      case .grey: [0]
      }
    for gap in [0, 1, 7] {
      let stride = width * format.bytesPerPixel + gap
      var bytes = [UInt8](
        repeating: 99, count: (height - 1) * stride + width * format.bytesPerPixel)
      for y in 0..<height {
        for x in 0..<width {
          for (color, place) in places.enumerated() {
            bytes[y * stride + x * format.bytesPerPixel + place] =
              colors[(y * width + x) * 3 + color]
          }
        }
      }
      let image = try Image(
        width: width, height: height, format: format, bytesPerRow: gap == 0 ? nil : stride,
        bytes: bytes)
      let expected =
        format == .grey ? every(3, of: colors) : colors
      #expect(image.pixels == expected && image.channels == (format == .grey ? 1 : 3))
      let data = try Image(
        width: width, height: height, format: format, bytesPerRow: stride, bytes: Data(bytes))
      let unsafe = try bytes.withUnsafeBytes {
        try Image(
          width: width, height: height, format: format, bytesPerRow: stride, bytes: $0)
      }
      #expect(data == image && unsafe == image)
    }
  }

  private func every(_ step: Int, of colors: [UInt8]) -> [UInt8] {
    stride(from: 0, to: colors.count, by: step).map { colors[$0] }
  }

  @Test("Numbers that do not go together are an error of one line")
  func errors() {
    let bytes = [UInt8](repeating: 0, count: 48)
    for (width, height, format, row) in [
      (4, 4, PixelFormat.bgra, nil as Int?), (4, 4, .rgb, 11), (4, 4, .rgb, 13), (0, 4, .rgb, nil),
      (-4, -4, .rgb, nil), (Int.max, Int.max, .rgb, nil), (1 << 28, 2, .grey, nil),
      (4, 4, .rgb, Int.max), (4, 4, .rgb, -1), (4, 1 << 28, .grey, 1 << 32), (2, 2, .rgb, nil),
    ] {
      let error = #expect(throws: ImageError.self) {
        try Image(width: width, height: height, format: format, bytesPerRow: row, bytes: bytes)
      }
      #expect(error?.description.contains("\n") == false)
    }
  }
}
