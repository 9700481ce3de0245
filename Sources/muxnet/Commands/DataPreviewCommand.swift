// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXConfiguration
  import MUXImages
  import MUXReport
  import MUXTraining
  import MUXVision

  /// Writes a contact sheet of augmented training images.
  struct DataPreviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "preview",
      abstract: "Write a contact sheet of training images as the network sees them.",
      discussion: """
        The images are the first ones of an epoch of the run that the settings (a recipe, a file, \
        options) describe: cropped, augmented, erased and mixed as in training, with their classes and \
        the shares of these, or with their boxes.

        EXAMPLES
          muxnet data preview --recipe photos --data photos --output sheet.png
          muxnet data preview --recipe bccd_ssdlite --data bccd --images 12 --columns 4 \\
            --side 300 --epoch 2 --output boxes.png
        """)

    @Option(help: "The number of images.")
    var images = 32

    @Option(help: "Images per row.")
    var columns = 8

    @Option(help: "The longer side of an image on the sheet in pixels.")
    var side = 192

    @Option(help: "The epoch, from 1; each augments the images differently.")
    var epoch = 1

    @Option(help: "The network, a name of the zoo or a file; it sets the image size.")
    var model: String?

    @Option(name: [.short, .long], help: "The PNG file to write.", completion: .file())
    var output: String

    @Flag(help: "Replace an existing file.")
    var overwrite = false

    @OptionGroup var settings: SettingSources

    func validate() throws {
      for (name, value, most) in [
        ("images", images, 10_000), ("columns", columns, 1000), ("side", side, 2048),
        ("epoch", epoch, 1_000_000),
      ] where !(1...most).contains(value) {
        throw ValidationError("--\(name) must be 1 to \(most), not \(value)")
      }
    }

    func run() throws {
      try ReportFile.check(output, overwrites: overwrite)
      var tree = try settings.tree()
      if let model { try tree.set("model.name", toText: model, source: .option("--model")) }
      let preview = try TrainingPreview(
        tree.decode(TrainingConfiguration.self), count: images, epoch: epoch - 1)
      let sheet = ContactSheet(preview.cells, columns: columns, side: side).image
      try ReportFile.write(sheet.pngData(), to: output, overwrites: overwrite)
      Console.note(
        "wrote \(output): \(preview.cells.count) images of \(preview.inputSize)×\(preview.inputSize)"
      )
    }
  }
#endif
