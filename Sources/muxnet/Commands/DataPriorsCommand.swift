// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation

/// Fits the default boxes of a detector to a data set.
struct DataPriorsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "priors",
    abstract: "Fit a detector's default boxes to the objects of a data set.",
    discussion: """
      Objects are assigned to the network's feature maps by their size in the network's input, and \
      each map gets the sizes and aspect ratios that overlap its objects most (k-means on the \
      overlap; a class of n objects counts as the square root of n). For each class the table shows \
      the mean best overlap of an object with a default box, and the share of objects with an \
      overlap of at least one half, before and after. The output is part of a recipe, for muxnet \
      train --config; default boxes are saved with the weights. Fit on the training images only.

      EXAMPLES
        muxnet data priors cells --recipe bccd_ssdlite
        muxnet data priors VOCdevkit --part trainval --model ssdlite8_tf_efficientnet_lite0 \
      --input-size 320 --output priors.yaml
      """)

  @Argument(
    help: "The data: a folder of PASCAL VOC, COCO or YOLO, a JSON file, or a list of boxes.")
  var path: String

  @Option(help: "The part to fit to, such as train or trainval (default: the first one).")
  var part: String?

  @OptionGroup var detector: DetectorOptions

  @Option(help: "The YAML file to write, a part of a recipe.", completion: .file())
  var output: String?

  @OptionGroup var form: OutputOptions

  func run() throws {
    if let output { try AtomicFile.check(output) }
    let detector = try self.detector.detector(unless: "ssdlite_muxnet_m")
    guard let data = try DataConfiguration.boxes(at: path, part: part) else {
      throw CommandError(
        "\(path.printable) has no images with boxes; give a folder in the form of PASCAL VOC, COCO or"
          + " YOLO, or a list whose first line is image,x0,y0,x1,y1,class")
    }
    guard
      let objects = try PreparedObjects(
        data, imageSize: detector.layout.imageSize, isLetterboxed: detector.isLetterboxed,
        size: { try data.size(at: $0) }), objects.boxes.contains(where: { !$0.isEmpty })
    else { throw CommandError("\(path.printable) has no objects to fit default boxes to") }
    let report = PriorReport(objects, from: detector.layout)
    let recipe = report.recipe(model: ModelSource.isWeights(detector.name) ? nil : detector.name)
    if let output { try AtomicFile.write([UInt8](recipe.utf8), to: output) }
    if form.json {
      try Console.json(report)
      return
    }
    Console.result(
      "\(detector.name.printable) at \(detector.layout.imageSize) pixels, \(data.count.grouped) images"
    )
    Console.result(TextTable(report.table).text)
    if let overlap = report.mean, let recall = report.recall {
      func percent(_ share: Double) -> String { "\((100 * share).fixed(1)) %" }
      Console.result(
        "mean over the classes: overlap \(overlap.before.fixed(3)) → \(overlap.after.fixed(3)), overlapped by"
          + " one half \(percent(recall.before)) → \(percent(recall.after))")
    }
    if let output {
      Console.result("wrote \(output.printable)")
    } else {
      Console.result("\n\(recipe)")
    }
  }
}
