// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import MUXInterchange
public import MUXRuntime
import MUXVision

/// Makes packed model files of less than single precision, and says how they agree with it.
public struct Quantization: Sendable {
  /// What products are made of.
  public var precision = Precision.int8
  /// The widths of vectors to pack for; nil takes all.
  public var lanes: [Int]?
  /// Images prepared and computed at once.
  public var batchSize = 32
  /// Threads that read and prepare images ahead.
  public var workers = 2
  /// Threads that compute; nil takes one per core.
  public var threads: Int?
  /// Told of the images done and their total, those to calibrate on first.
  public var progress: (@Sendable (Int, Int) -> Void)?

  /// 8 bits, for all widths of vectors.
  public init() {}

  /// What was made.
  public struct Result: Codable, Hashable, Sendable {
    /// The network's name.
    public var network: String
    /// What products are made of.
    public var precision: Precision
    /// Whether this processor has instructions for it.
    public var isAccelerated: Bool
    /// The size of the file.
    public var bytes: Int
    /// Images that it was calibrated on.
    public var calibrationImages: Int
    /// How it agrees with single precision on other images.
    public var agreement: PrecisionAgreement
  }

  /// Calibrates and packs weights, compares, and writes the file, which is the last thing to happen.
  ///
  /// - Parameters:
  ///   - weights: Trained weights that are not packed yet.
  ///   - images: On which to calibrate and to compare.
  ///   - path: The file to write: to a temporary one first, then renamed.
  /// - Throws: ``EvaluationError/packed(path:)``, ``WeightsMismatchError``, ``QuantizationError``,
  ///   the error of an image that cannot be read, or `RuntimeError` for images of another size than
  ///   the network's.
  public func write(
    _ weights: TrainedWeights, images: QuantizationImages, to path: String
  ) throws -> Result {
    guard weights.packed == nil else { throw EvaluationError.packed(path: weights.path) }
    let isCalibrated = precision == .int8
    let calibrating = isCalibrated ? images.calibration.count : 0
    let total = calibrating + images.heldOut.count
    let exact = try weights.runtimeClassifier(threads: threads)
    var calibration: Calibration?
    if isCalibrated {
      let calibrator = try Calibrator(
        weights.network,
        weights: weights.archive.checked(against: weights.network, path: weights.path))
      var done = 0
      try forEachBatch(of: images.calibration, weights.pipeline) { batch in
        let size = batch.values.count / batch.count
        for image in 0..<batch.count {
          try calibrator.add(Array(batch.values[image * size..<(image + 1) * size]))
        }
        done += batch.count
        progress?(done, total)
      }
      calibration = calibrator.calibration
    }
    let bytes = try weights.packedBytes(
      precision: precision, calibration: calibration, lanes: lanes)
    let model = try PackedModel(ByteRegion(bytes), path: path)
    let packed = try RuntimeClassifier(model, threads: threads)
    var tally = AgreementTally()
    var done = calibrating
    try forEachBatch(of: images.heldOut, weights.pipeline) { batch in
      let expected = try exact.outputs(batch), actual = try packed.outputs(batch)
      for (outputs, name) in [(expected, Precision.float32), (actual, precision)]
      where !outputs.allSatisfy(\.isFinite) {
        throw QuantizationError.notFinite(network: weights.network.name, precision: name.rawValue)
      }
      tally.add(actual, exact: expected, labels: batch.labels)
      done += batch.count
      progress?(done, total)
    }
    try AtomicFile.write(bytes, to: path)
    return Result(
      network: weights.network.name, precision: precision,
      isAccelerated: precision.isAccelerated, bytes: bytes.count, calibrationImages: calibrating,
      agreement: tally.result(isLabelled: images.isLabelled))
  }

  private func forEachBatch(
    of images: any ImageDataSet, _ pipeline: ImagePipeline, _ body: (Batch) throws -> Void
  ) throws {
    let loader = try DataLoader(
      images, pipeline: pipeline,
      settings: LoaderSettings(
        batchSize: max(1, min(batchSize, images.count)), workers: workers, layout: .channelsFirst))
    let stream = try loader.epoch(0)
    defer { stream.cancel() }
    while let batch = try stream.next() { try body(batch) }
  }
}
