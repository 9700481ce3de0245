// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Packed model files of reduced precision")
struct PackedPrecisionTests {
  private static let precisions: [Precision] = [.bfloat16, .int8]

  private func network(_ name: String = "muxnet_m", size: Int = 64) throws -> Network {
    try ModelZoo.architecture(named: name)
      .applying(ModelOptions(classes: 40, inputSize: ImageSize(size))).network()
  }

  private func calibration(_ network: Network, _ weights: TensorArchive) throws -> Calibration {
    let calibrator = try Calibrator(network, weights: weights)
    let size = network.inputSize
    for seed in 1...2 {
      try calibrator.add(
        pixels(network.inputChannels * size.height * size.width, seed: UInt64(seed)))
    }
    return calibrator.calibration
  }

  @Test(
    "A file gives the same numbers as the plan of the tensors, to the bit, with its weights in place",
    arguments: Portion.of(
      [
        ("muxnet_xs", Precision.bfloat16), ("muxnet_xs", .int8), ("muxnet_m", .bfloat16),
        ("muxnet_m", .int8), ("mobilenetv2_050", .bfloat16), ("mobilenetv2_050", .int8),
      ] as [(String, Precision)]))
  func sameNumbers(name: String, precision: Precision) throws {
    let folder = try TemporaryFolder()
    let network = try network(name)
    let weights = RandomWeights.archive(network, seed: 4)
    let calibration = try calibration(network, weights)
    try PackedModel.write(
      network, weights: weights, precision: precision, calibration: calibration,
      to: folder("m.muxnet"))
    let model = try PackedModel(contentsOf: folder("m.muxnet"))
    #expect(model.precision == precision)
    #expect(model.calibration == (precision == .int8 ? calibration : nil))
    let input = pixels(3 * 64 * 64, seed: 9)
    for set in availableSets {
      let direct = try InferencePlan(
        network, weights: weights, instructionSet: set, precision: precision,
        calibration: calibration)
      let expected = try InferenceEngine(direct).run(input)
      #expect(expected.allSatisfy(\.isFinite) && Set(expected).count > 20)
      let packed = try InferencePlan(model, instructionSet: set)
      #expect(packed.precision == precision && packed.steps == direct.steps)
      let engine = try InferenceEngine(packed, threads: 2)
      #expect(try engine.run(input) == expected)
      #expect(try engine.run(input + input, count: 2) == expected + expected)
      let guarded = try InferencePlan(
        model, inputSize: nil, instructionSet: set, isGuarded: true)
      #expect(try InferenceEngine(guarded).run(input) == expected)
      // What is not in the file are lists of offsets.
      #expect(packed.ownBytes * 4 < direct.ownBytes, "\(packed.ownBytes) of \(direct.ownBytes)")
      #expect(packed.weightBytes > packed.ownBytes && direct.weightBytes == direct.ownBytes)
    }
    #expect(try InferencePlan(model: folder("m.muxnet")).precision == precision)
  }

  @Test(
    "Layers that are kept are in single precision: all of them give its numbers, some come nearer to it",
    arguments: ["muxnet_xs", "muxnet_m", "mobilenetv2_050", "mobilenetv3_small_100"], precisions)
  func keptLayers(name: String, precision: Precision) throws {
    let network = try network(name)
    let weights = RandomWeights.archive(network, seed: 4)
    let checked = try CheckedWeights(weights, for: network)
    let calibration = try calibration(network, weights)
    let input = pixels(3 * 64 * 64, seed: 9)
    let layers = network.nodes.compactMap { node -> String? in
      switch node.operation {
      case .convolution, .branchedConvolution, .linear: node.name
      default: nil
      }
    }
    for set in availableSets {
      func outputs(_ kept: Set<String>, precision: Precision) throws -> [Float] {
        let direct = try InferencePlan(
          checked, instructionSet: set, precision: precision, calibration: calibration, kept: kept)
        let result = try InferenceEngine(direct).run(input)
        let bytes = try PackedModel.pack(
          checked, precision: precision, calibration: calibration, kept: kept.sorted()
        ).bytes
        let model = try PackedModel(ByteRegion(bytes), path: "memory")
        #expect(model.kept == (precision == .float32 ? [] : kept))
        #expect(model.formatVersion == (model.kept.isEmpty ? precision == .float32 ? 1 : 2 : 4))
        let guarded = try InferencePlan(
          model, inputSize: nil, instructionSet: set, isGuarded: true)
        #expect(try InferenceEngine(guarded).run(input) == result, "a file gives the same")
        return result
      }
      let exact = try outputs([], precision: .float32)
      func error(_ kept: Set<String>) throws -> Double {
        zip(try outputs(kept, precision: precision), exact).reduce(0) {
          $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
        }
      }
      let plain = try error([])
      #expect(plain > 0)
      let all = try error(Set(layers))
      #expect(all <= plain * 1e-6, "\(all) of \(plain)")
      // Each half of the layers, and single ones at awkward places.
      for kept in [
        Set(layers.prefix(layers.count / 2)), Set(layers.suffix(layers.count / 2)), [layers[0]],
        [layers[layers.count - 1]], [layers[layers.count / 2]],
        Set(layers.enumerated().filter { $0.offset % 3 == 0 }.map(\.element)),
      ] {
        let some = try error(kept)
        #expect(some.isFinite && some < plain * 4, "\(some) of \(plain)")
      }
    }
  }

  @Test("Other image sizes work where the weights are packed alike", arguments: precisions)
  func otherSizes(precision: Precision) throws {
    let network = try network("muxnet_xs")
    let weights = RandomWeights.archive(network, seed: 1)
    let calibration = try calibration(network, weights)
    let model = try PackedModel(
      ByteRegion(
        PackedModel.bytes(
          network, weights: weights, precision: precision, calibration: calibration)),
      path: "memory")
    let size = ImageSize(height: 65, width: 97)
    let input = pixels(3 * 65 * 97, seed: 2)
    let expected = try InferenceEngine(
      InferencePlan(
        network, weights: weights, inputSize: size, precision: precision, calibration: calibration)
    ).run(input)
    let engine = try InferenceEngine(InferencePlan(model, inputSize: size))
    #expect(try engine.run(input) == expected)
    #expect(throws: RuntimeError.pixelCount(expected: 18915, actual: 3, shape: "3×65×97")) {
      try engine.run([1, 2, 3])
    }
    for number in [Float.nan, .infinity, -.infinity] {
      var broken = input
      broken[7] = number
      #expect(throws: RuntimeError.notFinite) { try engine.run(broken) }
    }
    #expect(throws: RuntimeError.threads(0)) { try InferenceEngine(engine.plan, threads: 0) }
  }

  @Test("A precision that the file does not hold is one line that says what to do")
  func otherPrecision() throws {
    let folder = try TemporaryFolder()
    let network = try network("mobilenetv2_050")
    let weights = RandomWeights.archive(network, seed: 1)
    try PackedModel.write(network, weights: weights, to: folder("f"))
    try PackedModel.write(
      network, weights: weights, precision: .int8, calibration: try calibration(network, weights),
      to: folder("i"))
    for (file, asked, remedy) in [
      ("f", Precision.int8, "pack the weights for int8"),
      ("f", .bfloat16, "pack the weights for bfloat16"),
      ("i", .float32, "pack the weights for float32"), ("i", .bfloat16, "not bfloat16"),
    ] {
      let error = #expect(throws: RuntimeError.self) {
        try InferencePlan(model: folder(file), precision: asked)
      }
      #expect(error?.description.contains(remedy) == true, "\(error?.description ?? "")")
    }
    #expect(try InferencePlan(model: folder("i"), precision: .int8).precision == .int8)
    #expect(try InferencePlan(model: folder("f"), precision: .float32).precision == .float32)
  }

  @Test("8 bits without usable ranges are not written; damaged files are refused")
  func damaged() throws {
    let network = try network("mobilenetv2_050")
    let weights = RandomWeights.archive(network, seed: 1)
    let good = try calibration(network, weights)
    // The stem is fused with the depthwise convolution after it: the first tensor that is measured.
    let first = "blocks.0.0.conv_dw/gathered"
    #expect(throws: RuntimeError.calibration(layer: first)) {
      try PackedModel.bytes(network, weights: weights, precision: .int8)
    }
    for (low, high) in [
      (Float.nan, Float(1)), (0, .infinity), (-.infinity, 0), (2, 1), (-1e31, 0),
    ] {
      var ranges = good.ranges
      ranges[first] = .init(low: low, high: high)
      #expect(throws: RuntimeError.calibration(layer: first)) {
        try PackedModel.bytes(
          network, weights: weights, precision: .int8, calibration: Calibration(ranges: ranges))
      }
    }
    let lanes = [InstructionSet.current.lanes]
    let bytes = try PackedModel.bytes(
      network, weights: weights, precision: .int8, calibration: good, lanes: lanes)
    #expect(bytes[8] == 2)
    let float = try PackedModel.bytes(network, weights: weights, lanes: lanes)
    #expect(float[8] == 1 && bytes.count < float.count)

    func failure(_ change: (inout [UInt8]) -> Void) -> String {
      var damaged = bytes
      change(&damaged)
      let error = #expect(throws: RuntimeError.self) {
        _ = try InferencePlan(PackedModel(ByteRegion(damaged), path: "m"))
      }
      return error?.description ?? ""
    }
    func replace(_ text: String, _ other: String) -> String {
      failure { bytes in
        let text = Array(text.utf8), other = Array(other.utf8)
        guard text.count == other.count,
          let start = bytes.indices.first(where: { bytes[$0...].starts(with: text) })
        else { return }
        bytes.replaceSubrange(start..<start + text.count, with: other)
        PackedModel.seal(&bytes)
      }
    }
    #expect(failure { $0[8] = 5 }.contains("reads versions 1 to 4"))
    let old = failure {
      $0[8] = 1
      PackedModel.seal(&$0)
    }
    #expect(old.contains("version 1 of the format has no weights for int8"), "\(old)")
    #expect(failure { $0.removeLast(999) }.contains("cut off"))
    #expect(failure { $0[$0.count - 1] ^= 64 }.contains("a checksum differs"))
    #expect(replace("\"calibration\"", "\"calibratiom\"").contains("without their calibration"))
    #expect(
      replace("\"\(first)\"", "\"blocks.0.0.conv_dw/gathereD\"").contains("no range for '\(first)'")
    )
    #expect(replace("\"int8\"", "\"int4\"").contains("description cannot be read"))
    // The keys of the weights say what they are, so they cannot be taken for others.
    #expect(
      replace("\"precision\":\"int8\"", "\"precisiom\":\"int8\"").contains("packed in another way"))
  }
}
