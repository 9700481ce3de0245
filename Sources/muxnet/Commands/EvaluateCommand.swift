// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks

/// Measures how well weights classify.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure how well weights classify a set of images.",
    discussion: """
      Weights in the folder of a run know their data; for others name it. A folder of images is \
      taken as a whole if it has no sub-folder of that part.

      EXAMPLES
        muxnet evaluate --weights runs/pets --part test
        muxnet evaluate --weights best.safetensors --data photos --json
        muxnet evaluate --weights m.pth --model muxnet_m --data imagenet
        muxnet evaluate --weights runs/pets --engine torch --device cuda
      """)

  @OptionGroup var weights: WeightsOptions

  @Option(help: "The part of the data: training, validation or test.")
  var part = Part.validation

  @OptionGroup var data: DataOptions

  @Option(help: "The network, for weights that do not know it.")
  var model: String?

  @OptionGroup var changes: ModelChangeOptions

  @Flag(help: "Show the recall of each class.")
  var perClass = false

  @OptionGroup var engine: EngineOptions

  @OptionGroup var output: OutputOptions

  /// The parts of a data set.
  enum Part: String, CaseIterable, ExpressibleByArgument {
    case training, validation, test

    var value: DataPart {
      switch self {
      case .training: .training
      case .validation: .validation
      case .test: .test
      }
    }
  }

  func run() throws {
    let configuration = try data.configuration(weights: weights.weights)
    let network = try changes.network(model)
    let trained = try TrainedWeights(
      path: weights.weights, network: network, key: weights.key)
    Console.remark(trained.remark, path: trained.path)
    let classifier = try engine.classifier(trained, precision: configuration.precision)
    let showsProgress = Console.errorIsTerminal
    let result: EvaluationResult
    do {
      result = try WeightsEvaluation.run(
        trained, classifier: classifier, configuration: configuration, part: part.value
      ) { done, total in
        if showsProgress { Console.standardError("\r\(done.grouped) of \(total.grouped) images") }
      }
    } catch let error as EvaluationError {
      guard case .noPart(let path, let folder, _, let present) = error,
        let other = present.first(where: { $0 == .test }) ?? present.first
      else { throw error }
      throw CommandError(
        "\(path): there is no folder '\(folder)' of \(part.rawValue) images; give --part"
          + " \(other.rawValue) for those that are there")
    }
    if showsProgress { Console.standardError("\r\u{1b}[2K") }
    for line in result.warnings + result.leftOut.map(\.description) { Console.warning(line) }
    if output.json { return try Console.json(result) }
    let scores = result.scores
    // Of five classes or fewer the right one is always among the first five.
    let top5 = result.classes.count > 5 ? "top-5 \(scores.top5.percent), " : ""
    Console.result(
      "top-1 \(scores.top1.percent), \(top5)loss \(scores.loss.fixed(4)), "
        + "\(scores.count.grouped) images (\(part.rawValue)), "
        + "\(result.imagesPerSecond.fixed(0)) images/s")
    guard perClass else { return }
    var table = TextTable([("CLASS", .left), ("IMAGES", .right), ("RECALL", .right)])
    for entry in result.classes {
      table.append([
        entry.name.printable, entry.count.grouped, entry.recall.map(\.percent) ?? "–",
      ])
    }
    Console.result(table.text)
  }
}
