// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXVision
import MUXWeights
import Testing

@Suite struct TrainerTests {
  private func train(
    _ folder: String, observers: [any TrainingObserver] = [],
    change: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> (trainer: Trainer, result: TrainingResult) {
    var configuration = TestRun.configuration(folder)
    change(&configuration)
    let trainer = try Trainer(
      configuration, network: TestRun.network(), observers: observers)
    trainer.stop = StopSignal()
    return (trainer, try trainer.run())
  }

  @Test("a run leaves its configuration, tables, events and weights, and they agree")
  func files() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = EventLog()
    let (trainer, result) = try train(folder, observers: [log]) { $0.checkpoints.keepBest = 2 }
    let run = trainer.folder
    #expect(log.steps.map(\.step) == Array(1...18))
    #expect(log.epochs.map(\.epoch) == [1, 2, 3])
    #expect(log.steps.allSatisfy { $0.loss.isFinite && ($0.gradientNorm ?? -1) > 0 })
    #expect(log.epochs[2].trainingLoss < log.epochs[0].trainingLoss)
    for file in [run.configuration, run.environment, run.network, run.summary, run.result] {
      #expect(FileManager.default.fileExists(atPath: file), "\(file)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: run.path)
    #expect(names.count { $0.hasPrefix("events.out.tfevents.") } == 1)
    let decoded = try JSONDecoder().decode(
      TrainingResult.self, from: Data(contentsOf: URL(filePath: run.result)))
    #expect(decoded == result && decoded.last == log.epochs[2])
    // Two best, the last two, and what was best at the one before the last; some are the same.
    let kept = CheckpointStore(path: run.checkpoints).names()
    #expect((3...5).contains(kept.count), "\(kept)")
    let rows = try String(contentsOfFile: run.summary, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 4)
    #expect(rows[1].split(separator: ",").count == SummaryTable(Classification()).columns.count)
  }

  @Test("the weights file alone evaluates and predicts as the run did")
  func trainedModel() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (trainer, result) = try train(folder)
    let trained = try TrainedModel(path: trainer.folder.lastWeights)
    #expect(trained.classNames == (0...9).map(String.init))
    #expect(trained.metadata?.isAveraged == true && trained.metadata?.step == 18)
    let validation = try trainer.configuration.data.open(.validation)
    let evaluation = try trained.evaluate(on: validation, batchSize: 64)
    let expected = try #require(result.last?.validation)
    #expect(evaluation.scores["top1"] == expected["top1"])
    #expect(abs((evaluation.scores["loss"] ?? 9) - (expected["loss"] ?? 0)) < 1e-5)
    #expect(evaluation.scores.count == validation.count)
    let details = try #require(evaluation.details as? ClassificationMeter.Details)
    #expect(details.confusion.joined().reduce(0, +) == validation.count)
    #expect(details.classes.map(\.count) == validation.classCounts)

    let images = try (0..<20).map { try validation.image(at: $0) }
    let batch = try trained.predictor.predict(images, settings: DecodingSettings(limit: 3))
      .compactMap { $0 as? Prediction }
    for (index, image) in images.enumerated() {
      let single = try #require(
        try trained.predictor.predict(image, settings: DecodingSettings(limit: 10)) as? Prediction)
      #expect(batch[index].guesses.map(\.label) == single.guesses.prefix(3).map(\.label))
      #expect(abs(single.guesses.reduce(0) { $0 + $1.probability } - 1) < 1e-5)
    }
    // The folder of the run stands for its best weights.
    #expect(try TrainedModel(path: trainer.folder.path).metadata?.scores == result.best?.validation)
  }

  @Test("a loss that is not a number stops the run, says where, and saves the state before it")
  func notANumber() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = #expect(throws: TrainingError.self) {
      try train(folder) {
        $0.optimizer.kind = .sgd
        $0.optimizer.learningRate = 1e30
        $0.optimizer.clipNorm = nil
        $0.schedule.warmUp.epochs = 0
        $0.checkpoints.everySteps = 0
      }
    }
    guard case .lossNotFinite(_, let epoch, let step, let rate, let saved) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(epoch == 1 && (2...6).contains(step) && rate > 1e29)
    let path = try #require(saved)
    #expect(FileManager.default.fileExists(atPath: "\(path)/state.json"))
    // It is there to look at, not to resume from.
    #expect(CheckpointStore(path: "\(folder)/run/checkpoints").names().isEmpty)
    #expect(error?.description.contains("epoch 1, step \(step)") == true)
  }

  /// Fails as a full disk or a bad image would, before or after the first step.
  private final class Failing: TrainingObserver {
    let atStep: Int

    init(atStep: Int) { self.atStep = atStep }

    func handle(_ event: TrainingEvent) throws {
      switch event {
      case .started where atStep == 0: throw ImageError.unreadable(name: "a.png", reason: "test")
      case .step(let report) where report.step == atStep:
        throw ImageError.unreadable(name: "a.png", reason: "test")
      default: break
      }
    }
  }

  @Test("a run that could not begin leaves no folder, and its name is free for the next try")
  func noFolder() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder)
    }
    #expect(throws: ImageError.self) { try train(folder, observers: [Failing(atStep: 0)]) }
    #expect(try names() == [])
    // What is known only once the optimizer is made.
    #expect(throws: (any Error).self) {
      try train(folder) { $0.model.freeze = ["*"] }
    }
    #expect(try names() == [])
    #expect(throws: ImageError.self) { try train(folder, observers: [Failing(atStep: 1)]) }
    #expect(try names() == ["run"])
  }

  @Test("two batches accumulated give the update of one batch twice as large")
  func accumulation() throws {
    // Without batch norm in the way: the averages of one linear layer's gradients.
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = try Network(
      name: "linear", inputChannels: 1, inputSize: ImageSize(8),
      nodes: [
        Node(name: "flat", operation: .flatten, inputs: ["input"]),
        Node(
          name: "fc", operation: .linear(Linear(inputFeatures: 64, outputFeatures: 10)),
          inputs: ["flat"]),
      ])
    func weights(batch: Int, accumulation: Int) throws -> [Float] {
      var configuration = TestRun.configuration(folder)
      configuration.epochs = 1
      configuration.batchSize = batch
      configuration.accumulation = accumulation
      configuration.mixing = MixingConfiguration()
      configuration.average.isEnabled = false
      configuration.augmentation.padding = 0
      let trainer = try Trainer(configuration, network: network)
      trainer.stop = StopSignal()
      try trainer.run()
      return try #require(trainer.model.tensor(named: "fc.weight")).detach().floats()
    }
    // 1,258 images: two steps of 600 either way, of the same images in the same order.
    let whole = try weights(batch: 600, accumulation: 1)
    let halves = try weights(batch: 300, accumulation: 2)
    for (a, b) in zip(whole, halves) { #expect(abs(a - b) < 1e-5) }
  }

  @Test("transfer keeps all but the head, and refuses other differences")
  func transfer() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let source = try NetworkModel(TestRun.network(classes: 4), seed: 3)
    let file = "\(folder)/source.safetensors"
    try Safetensors.write(source.archive(), to: file)
    var configuration = TestRun.configuration(folder)
    configuration.model.initialWeights = file
    #expect(throws: WeightsMismatchError.self) {
      try Trainer(configuration, network: TestRun.network())
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    configuration.model.replacesHead = true
    let trainer = try Trainer(configuration, network: TestRun.network())
    let name = "conv_stem.weight"
    let expected = try #require(source.tensor(named: name)).detach().floats()
    #expect(try #require(trainer.model.tensor(named: name)).detach().floats() == expected)
    #expect(trainer.model.tensor(named: "classifier.weight")?.shape == [10, 16])
  }

  @Test("a network with other outputs than classes is refused")
  func impossible() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(
      throws: TaskError.outputCount(
        task: "classification", network: "tiny_mux", outputs: 4, classes: 10, expected: 10)
    ) {
      try Trainer(TestRun.configuration(folder), network: TestRun.network(classes: 4))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test("a single class is refused before anything is made")
  func singleClass() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("images/cats")
    try Image(width: 8, height: 8, color: [1, 2, 3]).writePNG(to: folder("images/cats/0.png"))
    var configuration = TestRun.configuration(folder("runs"))
    configuration.data.source = .folder
    configuration.data.path = folder("images")
    configuration.data.trainingFolder = ""
    configuration.data.validationFolder = ""
    configuration.data.validationFraction = 0
    configuration.data.testFraction = 0
    #expect(
      throws: TaskError.tooFewClasses(
        task: "classification", names: ["cats"], example: folder("images/cats/0.png"))
    ) {
      try Trainer(configuration)
    }
    #expect(!FileManager.default.fileExists(atPath: folder("runs")))
  }

  @Test("a run without improvement stops after its patience, and a spent budget stops cleanly")
  func endings() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (_, patient) = try train(folder) {
      $0.epochs = 9
      $0.optimizer.kind = .sgd
      $0.optimizer.momentum = 0
      $0.optimizer.learningRate = 1e-30
      $0.schedule.warmUp.epochs = 0
      $0.average.isEnabled = false
      $0.checkpoints.metric = "top1"
      $0.patience = 2
    }
    #expect(patient.ending == .patience && patient.epochs < 9)
    let (trainer, short) = try train(folder) { $0.timeBudgetMinutes = 1e-9 }
    #expect(short.ending == .timeBudget && short.steps == 1 && short.exitCode == 0)
    #expect(try CheckpointStore(path: trainer.folder.checkpoints).load().state.step == 1)
  }

  @Test("bfloat16 arithmetic trains, with weights of 32 bits")
  func bfloat16() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = EventLog()
    let (trainer, _) = try train(folder, observers: [log]) {
      $0.precision = .bfloat16
      $0.mixing = MixingConfiguration()
    }
    #expect(log.epochs[2].trainingLoss < log.epochs[0].trainingLoss)
    #expect(trainer.model.parameters.allSatisfy { $0.tensor.dtype == .float32 })
  }
}
