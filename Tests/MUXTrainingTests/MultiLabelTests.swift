// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

@Suite("Several labels per image") struct MultiLabelTests {
  /// Images whose channels are bright or dark, with a table of which are bright.
  static func writeData(_ folder: TemporaryFolder, count: Int = 96) throws -> String {
    var table = "file,red,green,blue\n"
    for index in 0..<count {
      let bright = (0..<3).map { (index >> $0) & 1 }
      var random = RandomStream(seed: 3, purpose: .split, indices: UInt64(index))
      let pixels = (0..<64).flatMap { _ in
        bright.map { UInt8(($0 == 1 ? 150 : 40) + random.below(60)) }
      }
      try folder.makeFolder("images")
      try Image(width: 8, height: 8, channels: 3, pixels: pixels)
        .writePNG(to: folder("images/\(index).png"))
      table += "\(index).png,\(bright.map(String.init).joined(separator: ","))\n"
    }
    return try folder.write("images/labels.csv", Array(table.utf8))
  }

  static func recipe(_ folder: TemporaryFolder, _ labels: String) -> String {
    """
    epochs: 10
    batchSize: 16
    threads: 1
    task: {name: multiLabel, chooseThresholds: true}
    model: {name: muxnet_digits, inputChannels: 3}
    data:
      source: list
      path: \(labels)
      validationFraction: 0.25
      workers: 1
    augmentation: {crop: none, flip: 0.5, evaluationCrop: 1}
    optimizer: {kind: adamW, learningRate: 0.01}
    output: {folder: \(folder("runs")), name: colors}
    """
  }

  @Test("a table of labels trains, ranked by AUROC; the weights know task and thresholds")
  func trains() throws {
    let folder = try TemporaryFolder()
    let labels = try Self.writeData(folder)
    let settings = try ConfigurationTree(
      yaml: Self.recipe(folder, labels), source: .file("test")
    ).decode(TrainingConfiguration.self)
    let trainer = try Trainer(settings)
    trainer.stop = StopSignal()
    let result = try trainer.run()
    let areas = try CheckpointStore(path: trainer.folder.checkpoints).load().state.history
      .map { try #require($0.validation?["auroc"]) }
    let best = try #require(areas.max())
    #expect(best > 0.9 && result.best?.validation?["auroc"] == best)
    let model = try TrainedModel(path: trainer.folder.path)
    let task = try #require(model.weights.task.task as? MultiLabel)
    #expect(task.thresholds?.count == 3 && model.classNames == ["red", "green", "blue"])
    let validation = try settings.data.open(.validation)
    let again = try model.evaluate(on: validation)
    let details = try #require(again.details as? MultiLabelMeter.Details)
    #expect(details.classes.map(\.threshold) == task.thresholds)
    for entry in details.classes { #expect(entry.f1 == entry.bestF1, "chosen on these images") }
    let purple = Image(width: 8, height: 8, color: [180, 60, 180])
    let said = try #require(try model.predictor.predict(purple) as? LabelSet)
    let thresholds = try #require(task.thresholds)
    #expect(said.classes.map(\.label) == ["red", "green", "blue"])
    let reached = said.classes.filter { $0.probability >= thresholds[$0.index] }
    #expect(Set(said.labels) == Set(reached), "the chosen thresholds decide")
  }

  @Test("data and networks that do not fit the task are one clear line, before anything is made")
  func misfits() throws {
    let folder = try TemporaryFolder()
    let labels = try Self.writeData(folder, count: 16)
    func error(_ changes: [String]) throws -> String {
      var tree = try ConfigurationTree(yaml: Self.recipe(folder, labels), source: .file("test"))
      for text in changes { try tree.set(assignment: text, source: .option("test")) }
      do {
        _ = try Trainer(try tree.decode(TrainingConfiguration.self))
        return "none"
      } catch { return "\(error)" }
    }
    #expect(
      try error(["task=classification"]).hasSuffix(
        "0.png has a set of classes, but the task classification needs one class per image; change the"
          + " task or the data to fit"))
    #expect(
      try error(["model.classes=5"]).contains("has 5 outputs, but the task multiLabel needs 3"))
    #expect(try error(["task.positiveWeights=[1, 2]"]).contains("there are 3 classes"))
    try FileManager.default.removeItem(atPath: folder("images/7.png"))
    let missing = try error([])
    #expect(missing.contains("labels.csv:9: there is no file ") && missing.contains("7.png"))
    #expect(!FileManager.default.fileExists(atPath: folder("runs")))
  }

  private func loss(_ task: MultiLabel, smoothing: Double = 0) throws -> Double {
    let labels: [Target] = [.labels([0]), .labels([0, 1]), .labels([]), .label(0)]
    struct Data: ImageDataSet {
      let targets: [Target]
      var count: Int { targets.count }
      var classNames: [String] { ["a", "b"] }
      func target(at index: Int) -> Target { targets[index] }
      func name(at index: Int) -> String { "\(index)" }
      func image(at index: Int) throws -> Image { Image(width: 1, height: 1, color: [0]) }
    }
    let data = Data(targets: labels)
    var mixing = MixingConfiguration()
    mixing.labelSmoothing = smoothing
    let objective = try task.objective(
      ObjectiveSettings(mixing: mixing, seed: 0, training: data),
      head: MultiLabelHead(task: task, network: "n", classNames: data.classNames))
    let batch = Batch(
      pixels: PixelBatch(count: 4, channels: 1, height: 1, width: 1, values: [0, 0, 0, 0]),
      targets: labels)
    return try objective.losses(of: batch) { _ in
      [try Tensor(Self.logits.map { Float($0) }, shape: [4, 2])]
    }.total.item()
  }

  private static let logits = [1.0, -2, 0.5, 0, -1, 3, 2, -0.5]
  private static let truths = [1.0, 0, 1, 1, 0, 0, 1, 0]

  /// The mean over images and classes of w·y·(−log σ) + (1 − y)·(−log(1 − σ)).
  private func expected(weights: [Double] = [1, 1], smoothing: Double = 0) -> Double {
    zip(Self.logits, Self.truths).enumerated().reduce(0) { sum, entry in
      let (logit, truth) = entry.element
      let target = truth * (1 - smoothing) + smoothing / 2
      let share = 1 / (1 + exp(-logit))
      return sum - weights[entry.offset % 2] * target * log(share) - (1 - target) * log(1 - share)
    } / Double(Self.logits.count)
  }

  @Test("the losses are those of the formulas: positive weights, smoothing, squared error")
  func losses() throws {
    var task = MultiLabel()
    #expect(abs(try loss(task) - expected()) < 1e-6)
    #expect(abs(try loss(task, smoothing: 0.2) - expected(smoothing: 0.2)) < 1e-6)
    task.positiveWeights = .given([3, 0.5])
    #expect(abs(try loss(task) - expected(weights: [3, 0.5])) < 1e-6)
    // Three of four images have a, one has b.
    task.positiveWeights = .balanced
    #expect(abs(try loss(task) - expected(weights: [1.0 / 3, 3])) < 1e-6)
    task = MultiLabel()
    task.loss = .squaredError
    let squares = zip(Self.logits, Self.truths).map { pow(1 / (1 + exp(-$0)) - $1, 2) }
    #expect(abs(try loss(task) - squares.reduce(0, +) / 8) < 1e-6)
  }
}
