// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// Packed files changed in thousands of ways (a ``Portion`` of them), each decided by a seed. What is
/// accepted is run on memory whose neighbours may not be touched. Docs/PACKED.md has the command that runs
/// this under the address sanitizer.
@Suite("Fuzzed packed model files", .tags(.slow))
struct PackedModelFuzzTests {
  private static let classes = 3
  private static let precisions = Precision.allCases

  /// A file with every kind of packed weights: windows, an expansion, gated and plain projections.
  private static func original(_ precision: Precision) throws -> [UInt8] {
    var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(8))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2)
    x = builder.batchNormalization(x, "bn")
    x = builder.activation(x, "act", .hardSwish)
    x = builder.convolution(x, "dw", outputChannels: 8, kernelSize: 3, groups: 8)
    x = builder.convolution(x, "pw", outputChannels: 12)
    if precision != .float32 {
      x = builder.convolution(x, "expand", outputChannels: 20)
      x = builder.activation(x, "expand_act", .relu)
      x = builder.convolution(x, "grouped", outputChannels: 20, kernelSize: 3, groups: 10)
      x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
      x = builder.convolution(x, "project", outputChannels: 12)
    }
    _ = builder.classify(x, classes: classes)
    let network = try builder.build()
    let weights = RandomWeights.archive(network, seed: 1)
    let calibrator = try Calibrator(network, weights: weights)
    try calibrator.add(pixels(3 * 8 * 8, seed: 3))
    return try PackedModel.bytes(
      network, weights: weights, classNames: ["a", "b", "c"],
      pipeline: .imageNetEvaluation(size: 8), metadata: ["key": "value"], precision: precision,
      calibration: calibrator.calibration)
  }

  /// Opens the bytes as a model and runs it, unless its tensors have become large.
  private static func use(_ bytes: [UInt8]) throws {
    let model = try PackedModel(ByteRegion(bytes), path: "fuzzed")
    let plan = try InferencePlan(model, inputSize: nil, instructionSet: nil, isGuarded: true)
    guard plan.arenaBytes < 1 << 22, plan.scratchBytes < 1 << 26,
      plan.inputShape.count < 1 << 20
    else { return }
    _ = try InferenceEngine(plan).run(Array(repeating: 0.5, count: plan.inputShape.count))
  }

  private static func count(
    _ precision: Precision, _ rounds: Int, seed: UInt64,
    _ change: (inout [UInt8], inout Stream) -> Void
  ) throws -> (rejected: Int, accepted: Int) {
    let original = try original(precision)
    var stream = Stream(seed)
    var result = (rejected: 0, accepted: 0)
    for _ in 0..<rounds / Portion.step {
      var bytes = original
      change(&bytes, &stream)
      do {
        try use(bytes)
        result.accepted += 1
      } catch is RuntimeError {
        result.rejected += 1
      } catch is NetworkError {
        result.rejected += 1
      }
    }
    return result
  }

  @Test("Every truncated file is an error", arguments: precisions)
  func truncated(precision: Precision) throws {
    let result = try Self.count(precision, 400, seed: 1) { bytes, stream in
      bytes.removeLast(Int.random(in: 1...bytes.count, using: &stream))
    }
    #expect(result.accepted == 0)
  }

  @Test("Every flipped bit that matters is an error", arguments: precisions)
  func flipped(precision: Precision) throws {
    let original = try Self.original(precision)
    let model = try PackedModel(ByteRegion(original), path: "original")
    let result = try Self.count(precision, 1500, seed: 2) { bytes, stream in
      // The description and the index come first and are what most of the interest is in.
      let limit = Bool.random(using: &stream) ? bytes.count : Self.number(original, 32)
      bytes[Int.random(in: 0..<limit, using: &stream)] ^=
        1 << UInt8.random(in: 0..<8, using: &stream)
    }
    // What is accepted lies in padding, or in the weights for another width of vectors.
    #expect(result.rejected > (model.lanes.count > 1 ? 600 : 900) / Portion.step)
    let end = Self.number(original, 32)
    let inIndex = try Self.count(precision, 500, seed: 3) { bytes, stream in
      bytes[Int.random(in: 0..<end, using: &stream)] ^= 1 << UInt8.random(in: 0..<8, using: &stream)
    }
    #expect(inIndex.accepted == 0)
  }

  @Test("Files with honest checksums and hostile numbers never crash", arguments: precisions)
  func hostileNumbers(precision: Precision) throws {
    let values: [UInt64] = [
      0, 1, 7, 63, 64, 65, 4095, 4096, 4097, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1,
      1 << 62,
      1 << 63, .max, .max - 1, .max - 63, .max - 4095, UInt64(Int64.max), UInt64(Int64.max) - 1,
    ]
    let result = try Self.count(precision, 2500, seed: 4) { bytes, stream in
      for _ in 0..<Int.random(in: 1...2, using: &stream) {
        // Header, variants and the first entries of the tables, field by field.
        let at = 8 + 4 * Int.random(in: 0..<130, using: &stream)
        let value = values.randomElement(using: &stream) ?? 0
        let width = Bool.random(using: &stream) ? 8 : 4
        for byte in 0..<width where at + byte < bytes.count {
          bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
      }
      PackedModel.seal(&bytes)
    }
    // Cells make the first table longer: of vectors of 8 lanes, which a wider processor does not read.
    #expect(result.rejected > (precision == .float32 ? 1000 : 500) / Portion.step)
  }

  @Test("Descriptions with hostile numbers never crash", arguments: precisions)
  func hostileDescriptions(precision: Precision) throws {
    let digits = Array("0123456789-".utf8)
    let result = try Self.count(precision, 2500, seed: 5) { bytes, stream in
      let end = Self.number(bytes, 32)
      let start = end - Self.number(bytes, 24)
      let places = (start..<end).filter { (48...57).contains(bytes[$0]) }
      for _ in 0..<Int.random(in: 1...3, using: &stream) {
        guard let place = places.randomElement(using: &stream) else { return }
        if Bool.random(using: &stream) {
          bytes[place] = digits.randomElement(using: &stream) ?? 0
        } else {
          Self.replaceNumber(&bytes, at: place, using: &stream)
        }
      }
      PackedModel.seal(&bytes)
    }
    // Among the numbers are those of the calibration, any of which will do.
    #expect(result.rejected > (precision == .int8 ? 500 : 1500) / Portion.step)
  }

  /// Puts a number of up to 20 digits in the place of another, and moves the rest of the file so
  /// that only the description's length tells.
  private static func replaceNumber(
    _ bytes: inout [UInt8], at place: Int, using stream: inout Stream
  ) {
    let numbers = [
      "99999999999999999999", "9223372036854775807", "4294967296", "16777216", "65536",
    ]
    let text = Array((numbers.randomElement(using: &stream) ?? "1").utf8)
    var end = place
    while end < bytes.count, (48...57).contains(bytes[end]) { end += 1 }
    // Padding follows the description, so the data need not move.
    let growth = text.count - (end - place)
    guard growth >= 0, let close = bytes[end...].firstIndex(of: 0),
      bytes[close..<min(close + growth, bytes.count)].allSatisfy({ $0 == 0 })
    else { return }
    bytes.replaceSubrange(place..<end, with: text)
    bytes.removeSubrange(close + growth..<close + 2 * growth)
    for at in [24, 32] {
      let value = number(bytes, at) + growth
      for byte in 0..<8 { bytes[at + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
  }

  /// The number of 64 bits at an offset.
  private static func number(_ bytes: [UInt8], _ at: Int) -> Int {
    (0..<8).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }

  @Test("Weights that are no numbers are run without harm", arguments: precisions)
  func hostileWeights(precision: Precision) throws {
    let end = Self.number(try Self.original(precision), 32)
    let data = (end + 4095) / 4096 * 4096
    let result = try Self.count(precision, 300, seed: 6) { bytes, stream in
      for _ in 0..<8 {
        let at = Int.random(in: data..<bytes.count - 4, using: &stream) & ~3
        for byte in 0..<4 { bytes[at + byte] = 0xff }
      }
      PackedModel.seal(&bytes)
    }
    // Those that reach an output are an error; others disappear in activations and 8 bits.
    #expect(result.accepted > 0)
  }

  @Test("Ranges at the edge of what is allowed are run without harm")
  func hostileRanges() throws {
    let original = try PackedModel(ByteRegion(Self.original(.int8)), path: "original")
    let keys = try #require(original.calibration?.ranges.keys.sorted())
    let weights = RandomWeights.archive(original.network, seed: 1)
    let values: [Float] = [
      -9.9e29, -1e10, -1, -1e-30, -.leastNonzeroMagnitude, 0, 1e-38, 1e-12, 1, 1e20, 9.9e29,
    ]
    var stream = Stream(7)
    for _ in 0..<200 / Portion.step {
      var ranges = original.calibration?.ranges ?? [:]
      for key in keys where Bool.random(using: &stream) {
        let pair = (0..<2).map { _ in values.randomElement(using: &stream) ?? 0 }.sorted()
        ranges[key] = .init(low: pair[0], high: pair[1])
      }
      let bytes = try PackedModel.bytes(
        original.network, weights: weights, precision: .int8,
        calibration: Calibration(ranges: ranges))
      try Self.use(bytes)
    }
  }
}
