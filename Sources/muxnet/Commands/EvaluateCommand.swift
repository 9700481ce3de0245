// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks

/// Measures how well weights do what they are for.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure the accuracy of weights on a set of images.",
    discussion: """
      Weights in the folder of a run know their data; for others name it with --data. A folder of \
      images without a sub-folder for the part is used as a whole.

      The metrics depend on the task of the weights: top-1, top-5, balanced accuracy, F1 and loss \
      for classification; AUROC, average precision, F1 and loss for several labels per image; mean \
      average precision by the rules of PASCAL VOC (area and eleven points) and COCO, and loss for \
      detection. --intervals N adds 95 % bootstrap intervals of the AUROC from N draws of the \
      images, by whole groups where they are known (patients of chest X-rays, data.groupPattern).

      EXAMPLES
        muxnet evaluate --weights runs/pets --part test
        muxnet evaluate --weights best.safetensors --data photos --json
        muxnet evaluate --weights m.pth --model muxnet_m --data imagenet
        muxnet evaluate --weights runs/pets --engine torch --device cuda
        muxnet evaluate --weights runs/chest --part test --augment ten-crop --intervals 1000
      """)

  @OptionGroup var weights: WeightsOptions

  @Option(help: "The part of the data: training, validation or test.")
  var part = Part.validation

  @OptionGroup var data: DataOptions

  @Option(help: "The network, for weights that do not name it.")
  var model: String?

  @OptionGroup var changes: ModelChangeOptions

  @OptionGroup var task: TaskOptions

  @Option(help: "Average over views of each image: none, flip or ten-crop.")
  var augment = Augmentation.none

  @Option(help: "Bootstrap draws for intervals of the AUROC; 0 for none.")
  var intervals = 0

  @Flag(help: "Show the scores of each class.")
  var perClass = false

  @Flag(help: "Show the confusion matrix.")
  var confusion = false

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

  func validate() throws {
    if !(0...1_000_000).contains(intervals) {
      throw ValidationError("--intervals must be from 0 to 1000000, not \(intervals)")
    }
  }

  func run() throws {
    let configuration = try data.configuration(weights: weights.weights)
    let network = try changes.network(model)
    let trained = try TrainedWeights(
      path: weights.weights, network: network, task: try task.named, key: weights.key)
    Console.remark(trained.remark, path: trained.path)
    // Said before anything is computed.
    if confusion, !Self.hasConfusion(try trained.head()) {
      throw CommandError("--confusion is for weights that give one class per image")
    }
    let trainedModel = try engine.model(trained, precision: configuration.precision)
    let showsProgress = Console.errorIsTerminal
    let result: EvaluationResult
    do {
      result = try WeightsEvaluation.run(
        trained, model: trainedModel, configuration: configuration, part: part.value,
        augmentation: augment.value,
        resampling: intervals > 0 ? Resampling(draws: intervals) : nil
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
    if intervals > 0, result.intervals == nil {
      Console.warning("--intervals is for weights that give an image any number of classes")
    }
    if output.json { return try Console.json(result) }
    let scores = trained.task.task.metrics(classes: trained.classNames.count).map { metric in
      let text = "\(metric.label) \(metric.text(result.scores[metric]))"
      guard let intervals = result.intervals, intervals.metric == metric.name,
        let all = intervals.all
      else { return text }
      return "\(text) (\(metric.text(all.lower)) to \(metric.text(all.upper)))"
    }
    let images =
      "\(result.scores.count.grouped) images (\(part.rawValue)\(result.division.map { ", \($0)" } ?? ""))"
    Console.result(
      (scores + [images]).joined(separator: ", ")
        + ", \(result.imagesPerSecond.fixed(0)) images/s")
    if perClass {
      for table in result.tables + [result.intervals?.table].compactMap({ $0 }) {
        Console.result(TextTable(table).text)
      }
    }
    guard confusion, let table = result.confusion else { return }
    Console.result("rows: true classes; columns: predicted classes")
    Console.result(table.text(width: Console.outputIsTerminal ? Console.errorWidth : 160))
  }

  /// Whether what a task counts says which classes are taken for which.
  private static func hasConfusion(_ head: some TaskHead) -> Bool {
    head.makeMeter().confusion() != nil
  }
}
