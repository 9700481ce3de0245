// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXNetworks
import MUXRuntime
import MUXWeights

/// Writes plans that `scripts/check-arm --plans` runs without Swift.
@main
struct PlanSnapshot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plansnapshot",
    abstract: "Write a plan of a packed file, with an image and its result, for scripts/check-arm.",
    discussion: """
      The network gets random weights, is packed, and planned from that file for vectors of 8 lanes, which \
      AVX2 and NEON have. The image is noise; 8 bits are calibrated on three more.

      EXAMPLES
        swift run -c release plansnapshot muxnet_m m.plan
        swift run -c release plansnapshot mobilenetv2_100 v2.plan --precision int8
      """)

  @Argument(help: "A network of the zoo, or a packed file.")
  var model: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "The precision of a network of the zoo: float32, bfloat16 or int8.")
  var precision = "float32"

  @Option(help: "The height and width of its images.")
  var size: Int?

  func validate() throws {
    guard Precision(rawValue: precision) != nil else {
      throw ValidationError("there is no precision '\(precision)'")
    }
  }

  func run() throws {
    let inputSize = size.map { ImageSize(height: $0, width: $0) }
    let packed: PackedModel
    if PackedModel.isPacked(model) {
      packed = try PackedModel(contentsOf: model)
    } else {
      packed = try made(inputSize)
    }
    let set = try chosen()
    let plan = try InferencePlan(packed, inputSize: inputSize, instructionSet: set)
    let image = noise(plan.inputShape.count, seed: 1)
    let result = try InferenceEngine(plan).run(image)
    guard let bytes = plan.snapshot(input: image, output: result) else { return }
    try AtomicFile.write(bytes, to: output)
    print(
      "\(plan.name), \(plan.precision.rawValue), \(plan.steps.count) steps,"
        + " \(set.kernels(for: plan.precision)) kernels")
  }

  /// The kernels of 8 lanes here that are most like those of Arm: fused, if there are any.
  private func chosen() throws -> InstructionSet {
    #if arch(x86_64)
      return InstructionSet.avx2.isAvailable ? .avx2 : .generic
    #else
      return .generic
    #endif
  }

  private func made(_ inputSize: ImageSize?) throws -> PackedModel {
    let network = try ModelZoo.network(named: model)
    let weights = RandomWeights.archive(network, seed: 1)
    guard let precision = Precision(rawValue: precision) else { throw ExitCode.failure }
    var calibration: Calibration?
    if precision == .int8 {
      let calibrator = try Calibrator(network, weights: weights, inputSize: inputSize)
      let size = inputSize ?? network.inputSize
      for seed in 2...4 {
        try calibrator.add(
          noise(network.inputChannels * size.height * size.width, seed: UInt64(seed)))
      }
      calibration = calibrator.calibration
    }
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("plansnapshot-\(ProcessInfo.processInfo.processIdentifier).muxnet")
      .path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try PackedModel.write(
      network, weights: weights, precision: precision, calibration: calibration, lanes: [8],
      to: path)
    return try PackedModel(contentsOf: path)
  }

  /// Uniform numbers in −2…2.
  private func noise(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 22) - 2
    }
  }
}
