// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXVision
import MUXWeights
import Testing

@Suite("Quantising and comparing with single precision")
struct QuantizationTests {
  private func weights(in folder: TemporaryFolder) throws -> TrainedWeights {
    let network = try Network.digits()
    var archive = RandomWeights.archive(network, seed: 1)
    archive.metadata = try WeightsMetadata(
      network: network, classNames: (0..<10).map { "digit \($0)" },
      pipeline: ImagePipeline(channels: 1, mean: [0.3], standardDeviation: [0.4]),
      isAveraged: false, epoch: 1, step: 1, scores: nil
    ).dictionary()
    try Safetensors.write(archive, to: folder("w.safetensors"))
    return try TrainedWeights(path: folder("w.safetensors"))
  }

  private var data: DataConfiguration {
    var data = DataConfiguration()
    data.source = .digits
    data.validationFraction = 0.1
    data.testFraction = 0.1
    return data
  }

  @Test(
    "The agreement is that of the file's outputs with those in single precision, image by image",
    arguments: [Precision.bfloat16, .int8])
  func agreement(precision: Precision) throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    let images = try QuantizationImages(
      data, part: .test, for: weights,
      counts: .init(calibration: precision == .int8 ? 40 : 0, heldOut: 60))
    var quantization = Quantization()
    quantization.precision = precision
    quantization.batchSize = 7
    quantization.threads = 1
    let result = try quantization.write(weights, images: images, to: folder("q.muxnet"))
    #expect(result.calibrationImages == (precision == .int8 ? 40 : 0))
    #expect(result.bytes == (try Data(contentsOf: URL(fileURLWithPath: folder("q.muxnet")))).count)

    let packed = try TrainedWeights(path: folder("q.muxnet"))
    #expect(packed.classNames == weights.classNames && packed.pipeline == weights.pipeline)
    let actual = try packed.runtimeModel(threads: 1)
    #expect(actual.precision == precision)
    let exact = try weights.runtimeModel(threads: 1)
    var same = 0, correct = 0, correctExact = 0
    var greatest = 0.0, scale = 0.0, signal = 0.0, noise = 0.0
    for index in 0..<images.heldOut.count {
      let sample = try images.heldOut.sample(at: index)
      var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
      let (size, values) = try weights.pipeline.values(of: sample.image, random: &random)
      let batch = PixelBatch(
        count: 1, channels: 1, height: size.height, width: size.width, values: values)
      let a = try actual.outputs(batch)[0].values, b = try exact.outputs(batch)[0].values
      let guess = a.firstIndex(of: a.max() ?? 0), expected = b.firstIndex(of: b.max() ?? 0)
      if guess == expected { same += 1 }
      if sample.target == .label(guess ?? -1) { correct += 1 }
      if sample.target == .label(expected ?? -1) { correctExact += 1 }
      for (x, y) in zip(a, b) {
        greatest = max(greatest, Double(abs(x - y)))
        scale = max(scale, Double(abs(y)))
        signal += Double(y) * Double(y)
        noise += Double(x - y) * Double(x - y)
      }
    }
    let agreement = result.agreement
    #expect(agreement.images == 60 && greatest > 0)
    #expect(abs((agreement.sameDecisions ?? -1) - Double(same) / 60) < 1e-9)
    #expect(agreement.decision == "top-1")
    #expect(abs((agreement.scores?["top1"] ?? -1) - Double(correct) / 60) < 1e-9)
    #expect(abs((agreement.scoresFloat32?["top1"] ?? -1) - Double(correctExact) / 60) < 1e-9)
    #expect(agreement.greatestError == greatest && agreement.greatestOutput == scale)
    #expect(abs(agreement.signalToNoise - 10 * log10(signal / noise)) < 1e-6)
    #expect(agreement.signalToNoise > (precision == .int8 ? 12 : 25), "\(agreement)")
  }

  @Test(
    "Layers that are kept come back from the file; a pattern without layers names those near to it",
    arguments: [Precision.bfloat16, .int8])
  func kept(precision: Precision) throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    let images = try QuantizationImages(
      data, part: .test, for: weights, counts: .init(calibration: 40, heldOut: 40))
    var quantization = Quantization()
    quantization.precision = precision
    quantization.threads = 1
    let plain = try quantization.write(weights, images: images, to: folder("plain.muxnet"))
    #expect(plain.kept.isEmpty && plain.sensitivity == nil)
    quantization.kept = ["*"]
    let all = try quantization.write(weights, images: images, to: folder("all.muxnet"))
    #expect(all.agreement.signalToNoise > 80, "\(all.agreement)")
    #expect(all.kept.contains("conv_stem") && all.kept.contains("classifier"))
    quantization.kept = ["conv_stem", "blocks.0"]
    let some = try quantization.write(weights, images: images, to: folder("some.muxnet"))
    #expect(some.kept.contains("conv_stem") && some.kept.contains { $0.hasPrefix("blocks.0.") })
    #expect(!some.kept.contains("classifier") && some.agreement.signalToNoise < 80)
    let file = try TrainedWeights(path: folder("some.muxnet"))
    #expect(try file.runtimeModel(threads: 1).precision == precision)
    quantization.kept = ["block.0"]
    let error = #expect(throws: QuantizationError.self) {
      try quantization.write(weights, images: images, to: folder("none.muxnet"))
    }
    #expect(error?.description.contains("near to it are blocks.0") == true, "\(error as Any)")
    #expect(!FileManager.default.fileExists(atPath: folder("none.muxnet")))
  }

  @Test("What each block loses alone: all of them, the worst first, shares of the whole, ranges")
  func sensitivity() throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    let images = try QuantizationImages(
      data, part: .test, for: weights, counts: .init(calibration: 40, heldOut: 20))
    var quantization = Quantization()
    quantization.threads = 1
    quantization.measuresSensitivity = true
    quantization.kept = ["classifier"]
    let result = try quantization.write(weights, images: images, to: folder("q.muxnet"))
    let losses = try #require(result.sensitivity)
    #expect(losses.map(\.signalToNoise) == losses.map(\.signalToNoise).sorted())
    #expect(abs(losses.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    let names = losses.map(\.name)
    #expect(names.contains { $0.hasPrefix("stem") } && !names.contains("classifier"))
    #expect(Set(names).count == names.count)
    for block in weights.network.blocks where block.name != "classifier" {
      #expect(
        names.contains { name in
          name.split(separator: " ").contains {
            block.name.hasPrefix($0) || $0.hasPrefix(block.name)
          }
        }, "\(block.name) in \(names)")
    }
    // Each has a noise of its own: none is kept by another's layers.
    #expect(losses.allSatisfy { $0.signalToNoise < 200 }, "\(losses)")
    #expect(losses.contains { !$0.ranges.isEmpty })
    // No block alone is worse than all of them together, but for luck.
    #expect((losses.first?.signalToNoise ?? 0) > result.agreement.signalToNoise - 3)
  }

  @Test("No image both calibrates and is compared; of one set at most half calibrate")
  func disjoint() throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    func names(_ images: QuantizationImages) -> (Set<String>, Set<String>) {
      func all(_ data: any ImageDataSet) -> Set<String> {
        Set((0..<data.count).map(data.name(at:)))
      }
      return (all(images.calibration), all(images.heldOut))
    }
    for number in 0..<9 {
      try Image(width: 8, height: 8, color: [UInt8(number * 20)])
        .writePNG(to: folder("\(number).png"))
    }
    let list = try QuantizationImages(
      paths: [folder.path], counts: .init(calibration: 100, heldOut: 100))
    let (calibrating, heldOut) = names(list)
    #expect(calibrating.count == 4 && heldOut.count == 5 && calibrating.isDisjoint(with: heldOut))
    let few = try QuantizationImages(
      paths: [folder.path], counts: .init(calibration: 2, heldOut: 3))
    #expect(few.calibration.count == 2 && few.heldOut.count == 3)
    // The training part twice: what calibrates is taken out.
    let (own, others) = names(
      try QuantizationImages(
        data, part: .training, for: weights, counts: .init(calibration: 50, heldOut: 5000)))
    #expect(own.count == 50 && others.count > 1000 && own.isDisjoint(with: others))
    #expect(throws: QuantizationError.nothingHeldOut(1)) {
      try QuantizationImages(paths: [folder("0.png")], counts: .init())
    }
  }

  @Test("8 bits of weights that are not packed, and packing twice, say what to do")
  func errors() throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    #expect(throws: EvaluationError.uncalibrated(path: weights.path)) {
      try weights.runtimeModel(precision: .int8)
    }
    #expect(try weights.runtimeModel(precision: .bfloat16).precision == .bfloat16)
    let images = try QuantizationImages(
      data, part: .test, for: weights, counts: .init(calibration: 4, heldOut: 4))
    _ = try Quantization().write(weights, images: images, to: folder("q.muxnet"))
    let packed = try TrainedWeights(path: folder("q.muxnet"))
    #expect(throws: EvaluationError.packed(path: folder("q.muxnet"))) {
      try Quantization().write(packed, images: images, to: folder("r.muxnet"))
    }
    #expect(throws: RuntimeError.self) { try packed.runtimeModel(precision: .bfloat16) }
    #expect(!FileManager.default.fileExists(atPath: folder("r.muxnet")))
  }

  @Test("Weights that give no numbers are an error, and nothing is written")
  func notFinite() throws {
    let folder = try TemporaryFolder()
    let network = try Network.digits()
    var archive = try Safetensors.read(weights(in: folder).path)
    let bias = try #require(network.parameters.last { $0.role == .bias })
    archive[bias.name] = ArchivedTensor(
      Array(repeating: .nan, count: bias.count), shape: bias.shape)
    try Safetensors.write(archive, to: folder("nan.safetensors"))
    let broken = try TrainedWeights(path: folder("nan.safetensors"))
    let images = try QuantizationImages(
      data, part: .test, for: broken, counts: .init(calibration: 4, heldOut: 4))
    let error = #expect(throws: TensorValueError.self) {
      try Quantization().write(broken, images: images, to: folder("q.muxnet"))
    }
    #expect(error?.tensor == bias.name && error?.path == broken.path)
    #expect(!FileManager.default.fileExists(atPath: folder("q.muxnet")))
  }

  @Test("Few images, equal images and a poor agreement are warnings, and the file is written")
  func doubtful() throws {
    let folder = try TemporaryFolder()
    let weights = try weights(in: folder)
    func result(_ calibration: Int, _ heldOut: Int) throws -> [String] {
      let images = try QuantizationImages(
        data, part: .test, for: weights, counts: .init(calibration: calibration, heldOut: heldOut))
      return try Quantization().write(weights, images: images, to: folder("q.muxnet")).warnings
    }
    let few = try result(1, 40)
    #expect(few.contains { $0.hasPrefix("calibrated on 1 image only") }, "\(few)")
    #expect(!few.contains { $0.hasPrefix("compared on") })
    let fewCompared = try result(40, 5)
    #expect(fewCompared.contains { $0.hasPrefix("compared on 5 images only") }, "\(fewCompared)")
    #expect(!fewCompared.contains { $0.hasPrefix("calibrated on") })
    for number in 0..<80 {
      try Image(width: 8, height: 8, color: [7]).writePNG(to: folder("\(number).png"))
    }
    let equal = try Quantization().write(
      weights, images: QuantizationImages(paths: [folder.path], counts: .init()),
      to: folder("r.muxnet"))
    #expect(equal.warnings.contains { $0.contains("calibrated on images that are all the same") })
    #expect(equal.warnings.contains { $0.contains("compared on images that are all the same") })
    #expect(!equal.warnings.contains { $0.contains("only") }, "\(equal.warnings)")
    #expect(FileManager.default.fileExists(atPath: folder("r.muxnet")))
  }

  @Test("A signal to noise below the limit is a warning")
  func noisy() {
    var images = ImageVariety()
    for value in 0..<40 {
      images.add(
        PixelBatch(count: 1, channels: 1, height: 1, width: 1, values: [Float(value)]))
    }
    func warnings(_ decibels: Double) -> [String] {
      Quantization.warnings(
        comparedOn: images,
        PrecisionAgreement(
          images: 40, decisions: nil, greatestError: 1, greatestOutput: 1, signalToNoise: decibels))
    }
    #expect(warnings(8.9).count == 1 && warnings(8.9)[0].contains("8.9 dB"))
    #expect(warnings(29.8).isEmpty)
  }
}
