// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
public import MUXRuntime
import MUXTasks
import MUXVision
import MUXWeights

/// Makes packed model files of reduced precision, and says how they agree with it.
public struct Quantization: Sendable {
  /// The precision of the operands of products.
  public var precision = Precision.int8
  /// Patterns of the names of layers whose products stay in single precision, such as `conv_stem` or
  /// `blocks.0.*`; `*` stands for any characters, a whole part of a name for all below it.
  public var kept: [String] = []
  /// Whether it is measured how much each block loses.
  public var measuresSensitivity = false
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
    /// The precision of the operands of products.
    public var precision: Precision
    /// Whether this processor has instructions for it.
    public var isAccelerated: Bool
    /// The size of the file.
    public var bytes: Int
    /// Images that it was calibrated on.
    public var calibrationImages: Int
    /// How it agrees with single precision on other images.
    public var agreement: PrecisionAgreement
    /// The layers whose products stay in single precision.
    public var kept: [String]
    /// How much each block loses, the worst first; nil where that was not asked for.
    public var sensitivity: [BlockLoss]?
    /// What makes the file or the agreement doubtful, a sentence each; the file is written all the same.
    public var warnings: [String]
  }

  /// Images below which a calibration or a comparison says little.
  static let fewImages = 32
  /// The signal to noise, in decibels, below which a file is not as good as its precision can be; 8 bits
  /// of the published networks reach about 30.
  static let poorSignalToNoise = 20.0

  /// Calibrates and packs weights, compares, and writes the file, which is the last thing to happen.
  ///
  /// - Parameters:
  ///   - weights: Trained weights that are not packed yet.
  ///   - images: On which to calibrate and to compare.
  ///   - path: The file to write: to a temporary one first, then renamed.
  /// - Throws: ``EvaluationError/packed(path:)``, `FileError` before anything else where the file cannot be
  ///   written, `WeightsMismatchError`, ``QuantizationError``,
  ///   the error of an image that cannot be read, or `RuntimeError` for images of another size than
  ///   the network's.
  public func write(
    _ weights: TrainedWeights, images: QuantizationImages, to path: String
  ) throws -> Result {
    guard weights.packed == nil else { throw EvaluationError.packed(path: weights.path) }
    try AtomicFile.check(path)
    let isCalibrated = precision == .int8
    let calibrating = isCalibrated ? images.calibration.count : 0
    let total = calibrating + images.heldOut.count
    let checked = try weights.checked()
    let kept = try Self.layers(self.kept, of: weights.network)
    let exact = try RuntimeModel(checked, threads: threads)
    var calibration: Calibration?
    var variety = ImageVariety(), heldOutVariety = ImageVariety()
    if isCalibrated {
      let calibrator = try Calibrator(checked)
      var done = 0
      try forEachBatch(of: images.calibration, weights.pipeline) { batch in
        variety.add(batch.pixels)
        let values = batch.pixels.values
        let size = values.count / batch.count
        for image in 0..<batch.count {
          try calibrator.add(Array(values[image * size..<(image + 1) * size]))
        }
        done += batch.count
        progress?(done, total)
      }
      calibration = calibrator.calibration
    }
    let (bytes, vanishing) = try weights.pack(
      precision: precision, calibration: calibration, kept: kept, lanes: lanes)
    let model = try PackedModel(ByteRegion(bytes), path: path)
    let packed = try RuntimeModel(model, threads: threads)
    let agreement = try compare(
      weights, head: weights.head(), on: images, exact: exact, packed: packed, done: calibrating
    ) { heldOutVariety.add($0) }
    let sensitivity =
      measuresSensitivity
      ? try losses(checked, weights, kept: kept, calibration: calibration, images: images, exact)
      : nil
    try AtomicFile.write(bytes, to: path)
    return Result(
      network: weights.network.name, precision: precision,
      isAccelerated: precision.isAccelerated, bytes: bytes.count, calibrationImages: calibrating,
      agreement: agreement, kept: kept.sorted(), sensitivity: sensitivity,
      warnings: vanishing.map(Self.warning)
        + (isCalibrated ? Self.warnings(calibratedOn: variety) : [])
        + Self.warnings(comparedOn: heldOutVariety, agreement))
  }

  /// Runs both over the images that are held out.
  private func compare<Head: TaskHead>(
    _ weights: TrainedWeights, head: Head, on images: QuantizationImages, exact: RuntimeModel,
    packed: RuntimeModel, done: Int, each: (PixelBatch) -> Void
  ) throws -> PrecisionAgreement {
    var tally = AgreementTally(head, hasTargets: images.hasTargets)
    var done = done
    let total = done + images.heldOut.count
    func outputs(_ model: RuntimeModel, _ pixels: PixelBatch) throws -> [OutputTensor] {
      do { return try model.outputs(pixels) } catch RuntimeError.resultNotFinite {
        throw QuantizationError.notFinite(
          network: weights.network.name, precision: model.precision.rawValue)
      }
    }
    try forEachBatch(of: images.heldOut, weights.pipeline) { batch in
      each(batch.pixels)
      try tally.add(
        outputs(packed, batch.pixels), exact: outputs(exact, batch.pixels), batch)
      done += batch.count
      progress?(done, total)
    }
    return tally.result
  }

  private static func warning(_ vanishing: VanishingChannels) -> String {
    let count = vanishing.count
    return "\(count) channel\(count == 1 ? "" : "s") of “\(vanishing.tensor)” have weights so small"
      + " that 8 bits make them 0"
  }

  /// Why ranges that were measured on such images may not be those of others.
  static func warnings(calibratedOn images: ImageVariety) -> [String] {
    var warnings: [String] = []
    if images.count < fewImages {
      warnings.append(
        "calibrated on \(images.count) image\(images.count == 1 ? "" : "s") only; ranges of others may"
          + " be wider: take at least \(fewImages), better 256")
    }
    if images.count > 1, images.areAlike {
      warnings.append(
        "calibrated on images that are all the same, so that ranges of others are wider; take images of"
          + " the kind that the network will see")
    }
    return warnings
  }

  /// Why such an agreement says little, or says that the file is bad.
  package static func warnings(
    comparedOn images: ImageVariety, _ agreement: PrecisionAgreement
  ) -> [String] {
    var warnings: [String] = []
    if images.count < fewImages {
      warnings.append(
        "compared on \(images.count) image\(images.count == 1 ? "" : "s") only, so that the agreement says"
          + " little; take at least \(fewImages), better 1,000")
    }
    if images.count > 1, images.areAlike {
      warnings.append(
        "compared on images that are all the same, so that the agreement says little about others")
    }
    if agreement.signalToNoise < poorSignalToNoise {
      warnings.append(
        "a signal to noise of \((agreement.signalToNoise * 10).rounded() / 10) dB is poor (20 to 40 dB are"
          + " usual for 8 bits, 30 to 50 dB for bfloat16); calibrate on more and other images, or take another"
          + " precision")
    }
    return warnings
  }

  func forEachBatch(
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
