// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXReport
import MUXTasks

/// Says about images what weights are for.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify images, detect objects, or run any other task of the weights.",
    discussion: """
      Weights trained by muxnet hold their network, their classes and the preprocessing of images; \
      for others name the network with --model. Broken images are reported and the exit code is then \
      1; all other images are processed.

      EXAMPLES
        muxnet predict cat.jpg dog.png --weights runs/pets/best.safetensors
        muxnet predict photos --weights runs/pets/best.safetensors --json
        muxnet predict cat.jpg --weights muxnet_m.pth --model muxnet_m --labels imagenet.txt
        muxnet predict scans --weights runs/chest --format csv
        curl -s https://example.org/cat.jpg | muxnet predict - --weights runs/pets
        muxnet predict street.jpg --weights runs/voc --score 0.3 --draw drawn
        muxnet predict val2017 --weights runs/coco --score 0.01 --format coco
        muxnet predict photos --weights tf_efficientnet_lite0 --features photos.safetensors
      """)

  @Argument(
    help: "Images or folders of images; - reads an image from the standard input.",
    completion: .file())
  var images: [String]

  @OptionGroup var weights: WeightsOptions

  @Option(help: "The network, for weights that do not name it.")
  var model: String?

  @OptionGroup var changes: ModelChangeOptions

  @Option(help: "A text file with one class name per line.", completion: .file())
  var labels: String?

  @OptionGroup var task: TaskOptions

  @Option(
    name: [.long, .customLong("max")],
    help:
      "The most classes or boxes to show per image (default: the task's; 5 classes).")
  var top: Int?

  @Option(
    name: [.long, .customLong("score")],
    help: "The least probability of a class or box to show (default: the task's).")
  var threshold: Double?

  @Option(help: "How much boxes of one class may overlap (default: the task's).")
  var iou: Double?

  @Option(
    help: "For detectors: write the images with their boxes into this folder.",
    completion: .directory)
  var draw: String?

  @Option(
    help: "The output format: text, json, or a format of the task, such as csv or coco.")
  var format: String?

  @Option(
    help: """
      Write the features of each image, an embedding, into this safetensors file: [images, numbers], \
      with the paths in its metadata.
      """, completion: .file())
  var features: String?

  @Flag(help: "Replace the file of --features if it exists.")
  var overwrite = false

  @Option(help: "Average over views of each image: none, flip or ten-crop.")
  var augment = Augmentation.none

  @Option(help: "Images in a batch.")
  var batchSize = 16

  @Flag(help: "Draw each image in the terminal.")
  var show = false

  @OptionGroup var engine: EngineOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if images.isEmpty { throw ValidationError("name an image or a folder of images") }
    if images.count(where: { $0 == "-" }) > 1 {
      throw ValidationError("the standard input holds one image; give - once")
    }
    if let top, top < 1 { throw ValidationError("--top must be at least 1, not \(top)") }
    if let threshold, !(0...1).contains(threshold) {
      throw ValidationError("--threshold must lie in 0…1, not \(threshold)")
    }
    if let iou, !(0...1).contains(iou) {
      throw ValidationError("--iou must lie in 0…1, not \(iou)")
    }
    if output.json, format ?? "json" != "json" {
      throw ValidationError("give either --json or --format")
    }
    if features != nil, augment != .none {
      throw ValidationError("--features are those of the image itself; leave out --augment")
    }
    if features == nil, overwrite { throw ValidationError("--overwrite needs --features") }
    try UnusedOptions.refuse(
      [("show", show && (output.json || format ?? "text" != "text"))],
      because: "images are drawn beside text, and not in another format")
    if batchSize < 1 {
      throw ValidationError("--batch-size must be at least 1, not \(batchSize)")
    }
  }

  func run() throws {
    let network = try changes.network(model)
    let trained = try TrainedWeights(
      path: weights.weights, network: network,
      classNames: try labels.map(Predictor.classNames(fromFile:)), task: try task.named,
      key: weights.key)
    Console.remark(trained.remark, path: trained.path)
    let predictor = try Predictor(
      trained, model: try engine.model(trained), augmentation: augment.value)
    let format = output.json ? "json" : format ?? "text"
    guard ["text", "json"].contains(format) || predictor.formatNames.contains(format) else {
      throw TaskError.unknownFormat(name: format, known: ["text", "json"] + predictor.formatNames)
    }
    var table = try features.map { file in
      try ReportFile.check(file, overwrites: overwrite)
      guard let model = predictor.model as? RuntimeModel else {
        throw CommandError("--features come from the runtime; leave out --engine and --device")
      }
      return try FeatureTable(predictor, model)
    }
    if show, !Console.outputIsTerminal {
      Console.warning("--show draws in a terminal, but the output is not one")
    }
    let pictures = try draw.map { try BoxPictures(folder: $0) }
    let report = try predictor.predict(
      paths: images.filter { $0 != "-" }, given: try images.contains("-") ? [standardInput()] : [],
      settings: DecodingSettings(limit: top, threshold: threshold, overlap: iou),
      batchSize: batchSize
    ) { result, image in
      if draw != nil || iou != nil, result.output.drawnBoxes == nil {
        throw CommandError(
          "these weights are for the task \(trained.task.name), which has no boxes: leave out"
            + " \(draw != nil ? "--draw" : "--iou")")
      }
      try table?.add(image, path: result.path)
      if format == "text" { present(result, image) }
      if let boxes = result.output.drawnBoxes {
        try pictures?.draw(boxes, into: image, path: result.path)
      }
    }
    switch format {
    case "text": break
    case "json": try Console.json(report.images)
    default:
      let text = try predictor.text(of: report.images, format: format)
      Console.result(text.trimmingCharacters(in: .newlines))
    }
    if let table, let features, !report.images.isEmpty {
      try table.write(to: features)
      let count = report.images.count
      Console.note("wrote \(features): the features of \(count) image\(count == 1 ? "" : "s")")
    }
    for line in report.leftOut.descriptions + report.failures { Console.warning(line) }
    if !report.failures.isEmpty {
      throw CommandError("\(report.failures.count) of the images could not be read")
    }
  }

  /// The image on the standard input.
  private func standardInput() throws -> (name: String, bytes: [UInt8]) {
    // More than a file of an image may have; a pipe has no size to ask for.
    let limit = 1 << 28
    var bytes: [UInt8] = []
    while let part = try FileHandle.standardInput.read(upToCount: 1 << 20), !part.isEmpty {
      bytes += part
      guard bytes.count <= limit else {
        throw CommandError(
          "the standard input is longer than \(limit >> 20) MiB, more than an image")
      }
    }
    return ("-", bytes)
  }

  private func present(_ result: ImagePrediction, _ image: Image) {
    if show, Console.outputIsTerminal {
      Console.picture(TerminalPicture.text(image, usesColor: Console.allowsColor))
    }
    Console.result("\(result.path.printable): \(result.output.text.printable)")
  }
}
