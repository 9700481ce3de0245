// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks
public import MUXWeights

/// Measures the ranges of a network's tensors on images, for 8-bit plans.
/// ```swift
/// let calibrator = try Calibrator(network, weights: weights)
/// for image in images { try calibrator.add(image) }
/// let plan = try InferencePlan(
///   network, weights: weights, precision: .int8, calibration: calibrator.calibration)
/// ```
public final class Calibrator {
  /// The ranges so far.
  public private(set) var calibration = Calibration()
  private let engine: InferenceEngine

  /// A calibrator of a network at one image size.
  ///
  /// - Throws: What making a plan throws.
  public convenience init(
    _ network: Network, weights: TensorArchive, inputSize: ImageSize? = nil
  ) throws {
    try self.init(CheckedWeights(weights, for: network), inputSize: inputSize)
  }

  /// A calibrator of a network whose weights are checked already.
  package init(_ weights: CheckedWeights, inputSize: ImageSize? = nil) throws {
    // The steps of a bfloat16 plan are those of an 8-bit one, and it needs no ranges.
    let plan = try InferencePlan(
      weights, inputSize: inputSize, precision: .bfloat16, isObserving: true)
    engine = try InferenceEngine(plan, threads: 1)
  }

  /// Takes in an image, [C, H, W], normalised as in training.
  ///
  /// - Throws: ``RuntimeError`` for pixels of another number, or that are not finite.
  public func add(_ pixels: [Float]) throws(RuntimeError) {
    calibration.merge(try engine.observe(pixels))
  }
}
