// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXNetworks
import MUXRuntime
import MUXWeights

/// What `benchmark` times: a network with random weights, trained weights, or a packed model.
struct BenchmarkSubject {
  let network: Network
  let packed: PackedModel?
  /// Its weights; nil for a packed model.
  let weights: CheckedWeights?
  /// From opening a packed file to the first result, with one thread.
  let firstResultSeconds: Double?
  /// Bytes of the packed file; nil for other models.
  let fileBytes: Int?
  private let calibration: Calibration?

  /// - Parameter precisions: Those that are going to be timed.
  init(_ options: ModelOptionGroup, precisions: [Precision]) throws {
    let path = options.model
    let start = ContinuousClock.now
    let source = try ModelSource(options)
    if case .packed(let model) = source {
      let plan = try InferencePlan(model)
      let engine = try InferenceEngine(plan)
      _ = try engine.run(Array(repeating: 0.5, count: plan.inputShape.count))
      firstResultSeconds = (ContinuousClock.now - start) / .seconds(1)
      fileBytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      packed = model
      network = model.network
      weights = nil
      calibration = nil
      return
    }
    firstResultSeconds = nil
    fileBytes = nil
    packed = nil
    network = source.network
    if case .weights(let trained) = source {
      weights = try trained.checked()
    } else {
      weights = try CheckedWeights(RandomWeights.archive(network, seed: 1), for: network)
    }
    calibration =
      precisions.contains(.int8) ? try weights.map(Self.noiseCalibration) : nil
  }

  /// The precisions without a choice: what a packed model is for, else single precision.
  var usualPrecision: Precision { packed?.precision ?? .float32 }

  func model(_ precision: Precision, threads: Int) throws -> RuntimeModel {
    if let packed {
      return try RuntimeModel(packed, threads: threads, precision: precision)
    }
    return try RuntimeModel(
      checked(), threads: threads, precision: precision, calibration: calibration)
  }

  func plan(_ precision: Precision) throws -> InferencePlan {
    if let packed { return try InferencePlan(packed, precision: precision) }
    return try InferencePlan(checked(), precision: precision, calibration: calibration)
  }

  /// The weights of what is not packed.
  func checked() throws -> CheckedWeights {
    guard let weights else {
      throw CommandError("a packed model runs in the runtime only; give the weights it was made of")
    }
    return weights
  }

  /// Ranges of noise of unit variance, as normalised images have: time does not depend on them.
  private static func noiseCalibration(_ weights: CheckedWeights) throws -> Calibration {
    let calibrator = try Calibrator(weights)
    let network = weights.network, size = network.inputSize
    var state: UInt64 = 1
    try calibrator.add(
      (0..<network.inputChannels * size.height * size.width).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) / Float(1 << 24) * 3.46 - 1.73
      })
    return calibrator.calibration
  }
}
