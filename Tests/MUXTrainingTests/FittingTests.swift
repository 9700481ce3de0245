// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

/// Settings that follow the number of images, as the recipe for one's own pictures has them.
@Suite struct FittingTests {
  @Test(
    "the batch makes at least sixteen of the images, within 8 to 64",
    arguments: [
      (1, 1), (5, 5), (100, 8), (255, 8), (256, 16), (864, 32), (1024, 64), (50_000, 64),
    ])
  func batches(images: Int, batch: Int) {
    #expect(TrainingConfiguration.automaticBatch(images: images) == batch)
  }

  @Test("a batch of 0 is fitted to the images in a training; an evaluation keeps its own")
  func reading() throws {
    func tree(_ text: String) throws -> ConfigurationTree {
      try ConfigurationTree(yaml: text, source: .file("test"))
    }
    let settings = try tree("{batchSize: 0, minimumSteps: 50}").decode(
      TrainingConfiguration.self)
    #expect(settings.batchSize == 0 && settings.minimumSteps == 50)
    #expect(try tree("batchSize: 32").decode(TrainingConfiguration.self).batchSize == 32)
    #expect(throws: (any Error).self) {
      try tree("batchSize: automatic").decode(TrainingConfiguration.self)
    }
    #expect(try tree("batchSize: 0").decode(EvaluationConfiguration.self).batchSize == 128)
    #expect(try tree("batchSize: 7").decode(EvaluationConfiguration.self).batchSize == 7)
  }

  @Test("a warm-up as a share of the run is that share, whatever its length")
  func warmUp() {
    for epochs in [10, 30] {
      let clock = ScheduleClock(stepsPerEpoch: 10, epochs: epochs)
      let schedule = LearningRateSchedule(shape: .constant, warmUp: WarmUp(fraction: 0.2))
      func rate(_ step: Int) -> Double { schedule.rate(step: step, base: 1, clock: clock) }
      #expect(abs(rate(epochs) - 0.5) < 1e-12 && rate(2 * epochs) == 1 && rate(0) == 0)
    }
    // The longer one counts.
    let both = LearningRateSchedule(shape: .constant, warmUp: WarmUp(epochs: 5, fraction: 0.2))
    let clock = ScheduleClock(stepsPerEpoch: 10, epochs: 10)
    #expect(abs(both.rate(step: 25, base: 1, clock: clock) - 0.5) < 1e-12)
  }

  @Test("one image, of which norms see one value per channel, is refused before there is a folder")
  func singleValues() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var architecture = Architecture(
      name: "deep", stem: .init(channels: 8, stride: 2),
      stages: [
        [try BlockSpecification("ir_k3_s2_e2_c8")], [try BlockSpecification("ir_k3_s2_e2_c8")],
      ], head: .init(channels: 16))
    architecture.inputChannels = 1
    architecture.inputSize = ImageSize(8)
    architecture.classes = 10
    let network = try architecture.network()
    var configuration = TestRun.configuration(folder)
    configuration.batchSize = 1
    let error = #expect(throws: ConfigurationError.self) {
      _ = try Trainer(configuration, network: network)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("at least 2 images"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    configuration.batchSize = 2
    _ = try Trainer(configuration, network: network)
    // What rests uses running statistics, which need no second value; the others do.
    configuration.batchSize = 1
    configuration.epochs = 3
    for (freeze, epochs, freezesStatistics, average, norm) in [
      (["backbone"], nil, true, .ema, nil), (["blocks"], nil, true, .ema, "'bn2'"),
      (["backbone"], nil, false, .ema, "'blocks.1.0."),
      (["backbone"], 1, true, .ema, "'blocks.1.0."),
      (["backbone"], nil, true, .swa, "'blocks.1.0."),
    ] as [([String], Int?, Bool, AveragingConfiguration.Kind, String?)] {
      configuration.model.freeze = freeze
      configuration.model.freezeEpochs = epochs
      configuration.model.freezesStatistics = freezesStatistics
      configuration.average.kind = average
      guard let norm else {
        configuration.maxSteps = 2
        let trainer = try Trainer(configuration, network: network)
        trainer.stop = StopSignal()
        #expect(try trainer.run().steps == 2)
        configuration.maxSteps = 0
        continue
      }
      let error = #expect(throws: ConfigurationError.self) {
        _ = try Trainer(configuration, network: network)
      }
      let text = "\(error.map { "\($0)" } ?? "")"
      #expect(text.contains("at least 2 images") && text.contains(norm), "\(text)")
    }
    configuration.model = ModelConfiguration()
    // The same of images that leave more than one pixel.
    configuration.batchSize = 1
    _ = try Trainer(configuration, network: TestRun.network())
  }

  @Test("few images get more epochs and a small batch; the run goes on with that length")
  func steps() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = TestRun.configuration(folder)
    configuration.batchSize = 0
    configuration.accumulation = 1
    configuration.epochs = 1
    configuration.schedule.warmUp.epochs = 0
    configuration.minimumSteps = 30
    let log = EventLog()
    let stop = StopSignal()
    let trainer = try Trainer(
      configuration, network: TestRun.network(),
      observers: [log, AfterStep(3) { stop.request() }])
    trainer.stop = stop
    #expect(trainer.configuration.batchSize == 64 && trainer.configuration.epochs == 2)
    try trainer.run()
    #expect(log.notices.contains { $0.hasPrefix("batches of 64, fitted to") })
    #expect(log.notices.contains { $0.hasPrefix("2 epochs of 19 steps, for at least 30 steps") })
    let again = try Trainer(resuming: trainer.folder.path)
    #expect(again.configuration.batchSize == 64 && again.configuration.epochs == 2)
  }

  @Test("a run that learns nothing says so once, one that learns does not")
  func nowhere() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func notices(rate: Double, _ name: String) throws -> [String] {
      var configuration = TestRun.configuration(folder)
      configuration.epochs = 5
      configuration.optimizer.kind = .sgd
      configuration.optimizer.learningRate = rate
      configuration.mixing = MixingConfiguration()
      configuration.output.name = name
      let log = EventLog()
      let trainer = try Trainer(configuration, network: TestRun.network(), observers: [log])
      trainer.stop = StopSignal()
      try trainer.run()
      return log.notices.filter { $0.contains("that of guessing") }
    }
    let lines = try notices(rate: 1e-9, "still")
    #expect(lines.count == 1 && lines[0].contains("is not below 2.303"), "\(lines)")
    #expect(try notices(rate: 0.1, "moving").isEmpty)
  }

  @Test("the recipe for one's own pictures trains on a small folder of unequal classes")
  func photos() throws {
    let folder = try TemporaryFolder()
    for (name, count, color) in [("red", 30, [200, 60, 60]), ("blue", 6, [60, 60, 200])]
      as [(String, Int, [UInt8])]
    {
      try folder.makeFolder("photos/\(name)")
      for index in 0..<count {
        let pixels = (0..<(20 * 24)).flatMap { place in
          color.map { UInt8(clamping: Int($0) + (place * 7 + index * 13) % 50 - 25) }
        }
        try Image(width: 24, height: 20, channels: 3, pixels: pixels)
          .writePNG(to: folder("photos/\(name)/\(index).png"))
      }
    }
    let recipes = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "recipes").path
    var tree = try RecipeLibrary.load("photos", folders: [recipes])
    for text in [
      "data.path=\(folder("photos"))", "output.folder=\(folder("runs"))",
      "model.name=muxnet_digits", "model.initialWeights=null", "optimizer.learningRateScale=[]",
      "checkpoints.metric=balancedAccuracy",
      "model.inputChannels=3", "model.inputSize=16", "minimumSteps=160",
      "optimizer.learningRate=0.01", "data.workers=1",
    ] { try tree.set(assignment: text, source: .option("test")) }
    let trainer = try Trainer(try tree.decode(TrainingConfiguration.self))
    trainer.stop = StopSignal()
    let result = try trainer.run()
    #expect(trainer.configuration.batchSize == 8 && result.steps >= 160)
    #expect(try #require(result.best?.validation?["balancedAccuracy"]) > 0.9)
    // Of two classes the first five are always right, which says nothing.
    for text in ["maxSteps=1", "output.name=short"] {
      try tree.set(assignment: text, source: .option("test"))
    }
    let log = EventLog()
    let short = try Trainer(try tree.decode(TrainingConfiguration.self), observers: [log])
    short.stop = StopSignal()
    try short.run()
    let line = try #require(log.notices.first { $0.hasPrefix("validation after 1 steps: ") })
    #expect(line.contains("top-1") && !line.contains("top-5"), "\(line)")
  }
}
