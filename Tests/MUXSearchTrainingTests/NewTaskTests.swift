// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXSearch
import MUXSearchTraining
import MUXStudies
import MUXTasks
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

/// What a new task gets without a line of the package changed.
@Suite("A task that only a test knows", .serialized)
struct NewTaskTests {
  init() { TaskRegistry.register(OrderedTask.self) }

  private func configuration(_ folder: String, epochs: Int = 3) throws -> TrainingConfiguration {
    try ConfigurationTree(
      yaml: """
        epochs: \(epochs)
        batchSize: 64
        threads: 1
        task: {name: ordered, rounds: false}
        model: {name: muxnet_digits}
        data: {source: digits, validationFraction: 0.25, testFraction: 0.2, workers: 1}
        augmentation: {crop: padded, padding: 1, flip: 0, evaluationCrop: 1}
        optimizer: {kind: adamW, learningRate: 0.01}
        output: {folder: \(folder), name: run}
        """, source: .file("test")
    ).decode(TrainingConfiguration.self)
  }

  private final class Log: TrainingObserver {
    var parts: Set<String> = []
    var interrupts: (at: Int, stop: StopSignal)?
    func handle(_ event: TrainingEvent) throws {
      guard case .step(let report) = event else { return }
      parts.formUnion(report.lossParts.map(\.name))
      if report.step == interrupts?.at { interrupts?.stop.request() }
    }
  }

  private func scores(_ folder: String) throws -> [Scores?] {
    try CheckpointStore(path: "\(folder)/run/checkpoints").load().state.history.map(\.validation)
  }

  @Test("it trains, resumes, ranks checkpoints, evaluates and predicts, with torch and packed")
  func life() throws {
    let folder = try TemporaryFolder()
    let settings = try configuration(folder("whole"))
    #expect(settings.task.name == "ordered" && settings.task != NamedTask(OrderedTask()))
    let log = Log()
    let trainer = try Trainer(settings, observers: [log])
    trainer.stop = StopSignal()
    #expect(trainer.network.classCount == 9, "K − 1 outputs for K classes")
    let result = try trainer.run()
    #expect(log.parts == ["order"])
    let distances = try scores(folder("whole")).map { try #require($0?["distance"]) }
    #expect(distances.count == 3)
    #expect(result.best?.validation?["distance"] == distances.min(), "less is better")
    #expect(try #require(distances.min()) < 2.5, "guessing the middle is 2.5 off")
    let state = try CheckpointStore(path: trainer.folder.checkpoints).load().state
    #expect(state.best.map(\.value) == [try #require(distances.min())])
    let header = try String(contentsOfFile: trainer.folder.summary, encoding: .utf8)
      .prefix { $0 != "\n" }
    #expect(header.contains(",val_loss,val_distance,raw_val_distance,"))

    // Interrupted in the second epoch, and gone on with.
    let stop = StopSignal()
    let breaker = Log()
    breaker.interrupts = (at: 20, stop)
    let broken = try Trainer(configuration(folder("broken")), observers: [breaker])
    broken.stop = stop
    #expect(try broken.run().ending == .interrupted)
    let resumed = try Trainer(resuming: broken.folder.path)
    resumed.stop = StopSignal()
    _ = try resumed.run()
    #expect(try scores(folder("broken")) == scores(folder("whole")))

    // The weights say what they are for.
    let model = try TrainedModel(path: trainer.folder.path)
    #expect(model.weights.task == settings.task)
    let validation = try settings.data.open(.validation)
    let evaluation = try model.evaluate(on: validation, batchSize: 64)
    #expect(
      abs(try #require(evaluation.scores["distance"]) - #require(distances.min())) < 1e-5)
    let json = String(decoding: try JSONEncoder().encode(evaluation), as: UTF8.self)
    #expect(json.contains(#""total":"#) && json.contains(#""distance":"#))
    #expect(evaluation.tables.map(\.subject) == ["what"])

    let packed = folder("ordered.muxnet")
    try model.weights.writePacked(to: packed)
    let weights = try TrainedWeights(path: packed)
    #expect(weights.task == settings.task)
    let fast = try Evaluator().evaluate(
      try weights.runtimeModel(threads: 1), task: weights.task.task,
      pipeline: weights.pipeline, on: validation)
    #expect(abs(try #require(fast.scores["distance"]) - #require(distances.min())) < 1e-3)

    let image = folder("digit.png")
    try validation.image(at: 0).writePNG(to: image)
    let predictor = try Predictor(weights, model: weights.runtimeModel(threads: 1))
    let report = try predictor.predict(paths: [image], settings: .init(), batchSize: 1) { _, _ in }
    let guess = try #require(report.images.first?.output as? OrderedGuess)
    #expect(predictor.formatNames == ["lines"])
    #expect(
      try predictor.text(of: report.images, format: "lines") == "\(image)=\(guess.label)")
    #expect(throws: TaskError.self) { try predictor.text(of: report.images, format: "csv") }
  }

  @Test("a search makes its metric small")
  func search() throws {
    let settings = try TrainingEvaluator.settings(
      ConfigurationTree(
        yaml: ConfigurationText.yaml(try configuration("runs", epochs: 2)), source: .file("test")))
    #expect(settings.contains("name: ordered"))
    var space = try NetworkSpace.named("digits")
    space.classes = try TrainingEvaluator.classes(settings: settings)
    let coordinator = StudyCoordinator(MemoryStore())
    let study = try coordinator.create(
      "ordered",
      StudyDefinition(
        networks: space, targets: [], algorithm: .random, seed: 5,
        evaluation: .training(settings: settings), limits: StudyLimits(trials: 1)))
    let worker = StudyWorker(coordinator) { _ in try TrainingEvaluator(settings: settings) }
    try #expect(worker.run([study], shouldStop: { false }) == .done)
    let trial = try #require(
      try coordinator.store.read { try $0.trials(of: study.id, in: [], limit: nil) }.first)
    #expect(trial.state == .complete, "\(trial.reason ?? "")")
    let error = try #require(trial.objectives?.first)
    #expect(error > 0 && error < 9, "classes off, not per cent")
  }

  @Test("ranking by a metric that it does not have is refused before anything is made")
  func wrongMetric() throws {
    let folder = try TemporaryFolder()
    var settings = try configuration(folder("runs"))
    settings.checkpoints.metric = "top1"
    let error = #expect(throws: ConfigurationError.self) { try Trainer(settings) }
    #expect(error?.description.contains("the task ordered has distance, loss") == true)
    #expect(!FileManager.default.fileExists(atPath: folder("runs")))
  }
}
