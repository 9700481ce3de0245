// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXEvaluation
import MUXReport
import MUXRuns

#if TORCH
  import MUXTraining
#endif

/// Writes a report of a run.
struct RunReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Write a report of a run: one HTML file with curves, scores and the worst predictions.",
    discussion: """
      The file is self-contained: losses and scores per epoch, per-class scores of the best weights, \
      the confusion matrix, calibration (or a detector's precision and recall), and the images with \
      the worst predictions, with class-activation maps (in a build with libtorch). The images are \
      those of the run unless --data names others.

      EXAMPLES
        muxnet run report runs/pets
        muxnet run report runs/pets --part test --images 30 --output pets.html
      """)

  @Argument(help: "The folder of the run.", completion: .directory)
  var folder: String

  @Option(
    name: [.short, .long],
    help: "The HTML file (default: report.html in the run's folder, which is replaced).",
    completion: .file())
  var output: String?

  @Flag(help: "Replace an existing file.")
  var overwrite = false

  @Option(help: "The part of the data: training, validation or test.")
  var part = EvaluateCommand.Part.validation

  @Option(help: "The number of worst predictions to show.")
  var images = 12

  @OptionGroup var data: DataOptions

  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if !(0...1000).contains(images) {
      throw ValidationError("--images must be 0 to 1000, not \(images)")
    }
  }

  func run() throws {
    let record = try RunRecord(path: folder)
    try RunReport.check(record)
    let file = output ?? "\(record.folder.path)/report.html"
    let overwrites = overwrite || output == nil
    try ReportFile.check(file, overwrites: overwrites)
    let configuration = try data.configuration(weights: record.folder.path)
    let weights = try TrainedWeights(path: record.folder.path)
    let showsProgress = Console.errorIsTerminal
    let report = try RunReport(
      record, weights: weights,
      model: engine.model(weights, precision: configuration.precision),
      configuration: configuration, part: part.value, count: images,
      heatMaps: try Self.heatMaps(weights)
    ) { done, total in
      if showsProgress { Console.standardError("\r\(done.grouped) of \(total.grouped) images") }
    }
    if showsProgress { Console.standardError("\r\u{1b}[2K") }
    try ReportFile.write([UInt8](report.html().utf8), to: file, overwrites: overwrites)
    Console.note("wrote \(file)")
  }

  /// What says which parts of images matter; nil in a build without libtorch, and for networks of which it
  /// cannot be said.
  private static func heatMaps(_ weights: TrainedWeights) throws -> RunReport.HeatMaps? {
    #if TORCH
      guard let maps = try ClassActivationMaps(weights) else { return nil }
      return { try maps.maps(of: $0, outputs: $1) }
    #else
      return nil
    #endif
  }
}
