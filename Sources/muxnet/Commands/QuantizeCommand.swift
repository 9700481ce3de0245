// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation
import MUXNetworks
import MUXReport
import MUXRuntime

/// Makes packed model files of reduced precision.
struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Pack weights in 8 bits or bfloat16 for the inference runtime.",
    discussion: """
      Writes one file, as convert --to runtime does, with weights quantized to 8 bits (or bfloat16), \
      and reports how well its outputs agree with single precision on images that were not used for \
      calibration: the share with the same top-1 class, the greatest error of an output, and the \
      signal-to-noise ratio. predict, evaluate and benchmark run the file in its precision.

      8 bits need the ranges of the network's tensors, which are measured on calibration images and \
      stored in the file. These are 256 (--calibration-images) of the training images of --data (a \
      run knows its own); the comparison uses --held-out-images of --part. Or give --images, any \
      images of the kind that the network will see: at most half of them calibrate, the others are \
      compared. bfloat16 needs no calibration. Nothing is written if an image cannot be read, or if \
      the weights are not finite.

      --sensitivity measures each block with all others in single precision and shows which lose \
      most; --keep leaves layers in single precision, by name patterns ('*' matches any characters, \
      and a whole part of a name matches everything below it). A block's convolutions are kept \
      together.

      Warnings point out what makes the result doubtful: few images, or identical ones; a poor \
      signal-to-noise ratio; channels whose weights are so small that 8 bits round them to 0.

      EXAMPLES
        muxnet quantize runs/pets pets8.muxnet
        muxnet quantize best.safetensors m8.muxnet --data photos --part test --json
        muxnet quantize m.pth m8.muxnet --model muxnet_m --images photos
        muxnet quantize runs/pets pets16.muxnet --precision bfloat16
        muxnet quantize runs/pets pets8.muxnet --sensitivity --keep conv_stem --keep 'blocks.0.*'
      """)

  @Argument(
    help: "Weights: a safetensors or PyTorch file, or the folder of a run.", completion: .file())
  var input: String

  @Argument(help: "The packed file to write.", completion: .file())
  var output: String

  @Option(help: "The precision of weights and activations: int8 or bfloat16.")
  var precision = Precision.int8

  @Option(help: "Images for calibration and comparison: files and folders; may be repeated.")
  var images: [String] = []

  @Option(help: "The number of calibration images (default: 256).")
  var calibrationImages: Int?

  @Option(help: "The number of other images to compare on.")
  var heldOutImages = 1000

  @Option(
    help: "The part of the data to compare on: training, validation or test (default: validation).")
  var part: EvaluateCommand.Part?

  @OptionGroup var data: DataOptions

  @Option(help: "The network, for weights that do not name it.")
  var model: String?

  @OptionGroup var changes: ModelChangeOptions

  @Option(help: "Key of the state dict in a PyTorch checkpoint.")
  var key: String?

  @Option(help: "A text file with one class name per line.", completion: .file())
  var labels: String?

  @Option(help: "Layers to leave in single precision: a pattern of names; may be repeated.")
  var keep: [String] = []

  @Flag(help: "Show how much each block loses.")
  var sensitivity = false

  @Option(help: "Lanes of the vectors to pack for; may be repeated (default: 8 and 16).")
  var lanes: [Int] = []

  @Option(help: "Threads that compute; 0 takes one per core.")
  var threads = 0

  @Flag(help: "Replace OUTPUT if it exists.")
  var overwrite = false

  @OptionGroup(title: "Output") var form: OutputOptions

  func validate() throws {
    if precision == .float32 {
      throw ValidationError("muxnet convert --to runtime packs in float32; choose int8 or bfloat16")
    }
    for (name, count) in [
      ("calibration-images", calibrationImages ?? 1), ("held-out-images", heldOutImages),
    ] where count < 1 {
      throw ValidationError("--\(name) must be at least 1, not \(count)")
    }
    if threads < 0 { throw ValidationError("--threads must not be negative, not \(threads)") }
    if !images.isEmpty, data.data != nil || data.source != nil {
      throw ValidationError("give either --images or the data, not both")
    }
    if precision != .int8 {
      try UnusedOptions.refuse(
        [("calibration-images", calibrationImages != nil)],
        because: "\(precision.rawValue) needs no calibration")
    }
    if !images.isEmpty {
      try UnusedOptions.refuse(
        [
          ("part", part != nil), ("set", !data.assignments.isEmpty),
          ("batch-size", data.batchSize != nil),
        ], because: "--images is not a data set, and its images are used as they are")
    }
  }

  func run() throws {
    try ReportFile.check(
      output, overwrites: overwrite, inputs: [input] + images + [model, labels].compactMap(\.self))
    let network = try changes.network(model)
    let weights = try TrainedWeights(
      path: input, network: network, classNames: try labels.map(Predictor.classNames(fromFile:)),
      key: key)
    Console.remark(weights.remark, path: weights.path)
    guard weights.packed == nil else { throw EvaluationError.packed(path: input) }
    var quantization = Quantization()
    quantization.precision = precision
    quantization.kept = keep
    quantization.measuresSensitivity = sensitivity
    quantization.lanes = lanes.isEmpty ? nil : lanes
    quantization.threads = threads > 0 ? threads : nil
    if Console.errorIsTerminal {
      quantization.progress = { done, total in
        Console.standardError("\r\(done.grouped) of \(total.grouped) images")
      }
    }
    let images = try chosenImages(weights, &quantization)
    for line in images.leftOut.descriptions { Console.warning(line) }
    let result = try quantization.write(weights, images: images, to: output)
    if Console.errorIsTerminal { Console.standardError("\r\u{1b}[2K") }
    for warning in result.warnings { Console.warning(warning) }
    if form.json { return try Console.json(result) }
    Console.result(BenchmarkTables.quantization(result, task: weights.task.task))
    if let losses = result.sensitivity { Console.result(Self.table(losses).text) }
    if !result.kept.isEmpty {
      Console.note("in single precision: \(result.kept.joined(separator: ", "))")
    }
    Console.note(
      "wrote \(output): \(result.network), \(precision.rawValue),"
        + " \((Double(result.bytes) / 1e6).fixed(1)) MB")
    if !result.isAccelerated {
      Console.warning(
        "this processor has no instructions for \(precision.rawValue): the file runs here, but"
          + " slower than in float32")
    }
  }

  /// The blocks by what they lose, with their widest tensors.
  private static func table(_ losses: [Quantization.BlockLoss]) -> TextTable {
    var table = TextTable([
      ("BLOCK ALONE", .left), ("SIGNAL TO NOISE", .right), ("OF ALL NOISE", .right),
      ("WIDEST TENSOR", .left),
    ])
    for loss in losses {
      let widest = loss.ranges.max { $0.value.high - $0.value.low < $1.value.high - $1.value.low }
      table.append([
        loss.name, "\(loss.signalToNoise.fixed(1)) dB", "\((100 * loss.share).fixed(1)) %",
        widest.map {
          "\($0.key) \(Double($0.value.low).fixed(2))…\(Double($0.value.high).fixed(2))"
        } ?? "",
      ])
    }
    return table
  }

  private func chosenImages(
    _ weights: TrainedWeights, _ quantization: inout Quantization
  ) throws -> QuantizationImages {
    let usual = QuantizationImages.Counts()
    let counts = QuantizationImages.Counts(
      calibration: precision == .int8 ? calibrationImages ?? usual.calibration : 0,
      heldOut: heldOutImages)
    guard images.isEmpty else {
      return try QuantizationImages(
        paths: images, counts: counts, orientation: weights.pipeline.orientation)
    }
    let settings: EvaluationConfiguration
    do { settings = try data.configuration(weights: input) } catch let error as ConfigurationError
      where error.setting == "data.path"
    {
      throw CommandError(
        "\(input) does not know its images; give some with --data FOLDER or --images FOLDER")
    }
    quantization.batchSize = settings.data.evaluationBatchSize ?? settings.batchSize
    quantization.workers = settings.data.workers
    return try QuantizationImages(
      settings.data, part: (part ?? .validation).value, for: weights, counts: counts)
  }
}
