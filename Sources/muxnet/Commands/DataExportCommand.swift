// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXConfiguration
  import MUXTraining
  import MUXVision

  /// Writes images of a data set as PNG files.
  struct DataExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract: "Write images of a data set as PNG files, one folder per class.",
      discussion: """
        The settings (a recipe, a file, options) name the data, which is split as training splits \
        it. With --limit the images are spread evenly over the part.

        EXAMPLES
          muxnet data export pictures --recipe digits --part test --limit 10
          muxnet data export cifar --source cifar10 --data cifar-10-batches-bin
        """)

    @Argument(help: "The folder to write to.")
    var folder: String

    @Option(help: "The part of the data: training, validation or test.")
    var part = EvaluateCommand.Part.training

    @Option(help: "The number of images (default: all).")
    var limit: Int?

    @Flag(help: "Replace existing images.")
    var overwrite = false

    @OptionGroup var settings: SettingSources

    func validate() throws {
      if folder.isEmpty { throw ValidationError("name the folder to write to") }
      if let limit, limit < 1 { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() throws {
      let configuration = try settings.tree().decode(TrainingConfiguration.self)
      try configuration.validate()
      let data = try configuration.data.open(part.value)
      let export = DataExport(data, limit: limit)
      if !overwrite,
        let path = export.paths(in: folder).first(where: FileManager.default.fileExists(atPath:))
      {
        throw CommandError(
          "\(path) exists; take another folder, or give --overwrite to replace its images")
      }
      for path in try export.write(to: folder) { Console.result(path) }
    }
  }
#endif
