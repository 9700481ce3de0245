// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks

/// Classifies images.
struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Classify images.",
    discussion: """
      Weights that muxnet trained know their network, their classes and how to prepare an \
      image; for others name the network with --model. Broken images are reported and make the \
      exit code 1; the others are classified.

      EXAMPLES
        muxnet predict cat.jpg dog.png --weights runs/pets/best.safetensors
        muxnet predict photos --weights runs/pets/best.safetensors --json
        muxnet predict cat.jpg --weights muxnet_m.pth --model muxnet_m --labels imagenet.txt
      """)

  @Argument(help: "Images, or folders of images.", completion: .file())
  var images: [String]

  @OptionGroup var weights: WeightsOptions

  @Option(help: "The network, for weights that do not know it.")
  var model: String?

  @OptionGroup var changes: ModelChangeOptions

  @Option(help: "A text file with the name of one class per line.", completion: .file())
  var labels: String?

  @Option(help: "How many classes are shown for an image.")
  var top = 5

  @Option(help: "Images computed at once.")
  var batchSize = 16

  @Flag(help: "Draw each image in the terminal.")
  var show = false

  @OptionGroup var engine: EngineOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if images.isEmpty { throw ValidationError("name an image or a folder of images") }
    if top < 1 { throw ValidationError("--top must be at least 1, not \(top)") }
    if batchSize < 1 {
      throw ValidationError("--batch-size must be at least 1, not \(batchSize)")
    }
  }

  func run() throws {
    let network = try changes.network(model)
    let trained = try TrainedWeights(
      path: weights.weights, network: network,
      classNames: try labels.map(Predictor.classNames(fromFile:)), key: weights.key)
    Console.remark(trained.remark, path: trained.path)
    let predictor = Predictor(trained, classifier: try engine.classifier(trained))
    let report = try predictor.predict(
      paths: images, top: top, batchSize: batchSize
    ) { result, image in
      if !output.json { present(result, image) }
    }
    if output.json { try Console.json(report.images) }
    for line in report.leftOut.descriptions + report.failures { Console.warning(line) }
    if !report.failures.isEmpty {
      throw CommandError("\(report.failures.count) of the images could not be read")
    }
  }

  private func present(_ result: ImagePrediction, _ image: Image) {
    if show, Console.outputIsTerminal {
      Console.picture(TerminalPicture.text(image, usesColor: Console.allowsColor))
    }
    let guesses = result.guesses.map { "\($0.label.printable) \($0.probability.percent)" }
    Console.result("\(result.path.printable): " + guesses.joined(separator: ", "))
  }
}
