// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

@Suite("The data of a run: how it is arranged, and what becomes of it")
struct DataChangeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func fill(_ parts: [String], classes: [String], count: Int = 10) throws {
    for part in parts {
      for (label, name) in classes.enumerated() {
        for index in 0..<count {
          let pixels = (0..<64).map { UInt8(truncatingIfNeeded: $0 * (index + 3) + 90 * label) }
          try folder.write(
            "\(part)/\(name)/\(index).png",
            Image(width: 8, height: 8, channels: 1, pixels: pixels).pngData())
        }
      }
    }
  }

  private func configuration(_ data: String) -> TrainingConfiguration {
    var value = TestRun.configuration(folder("runs"))
    value.batchSize = 8
    value.accumulation = 1
    value.data = DataConfiguration()
    value.data.path = folder(data)
    return value
  }

  private func train(
    _ configuration: TrainingConfiguration, classes: Int, stopAfter step: Int? = nil
  ) throws -> (trainer: Trainer, log: EventLog) {
    let log = EventLog()
    let stop = StopSignal()
    let trainer = try Trainer(
      configuration, network: TestRun.network(classes: classes),
      observers: [log] + (step.map { [AfterStep($0) { stop.request() }] } ?? []))
    trainer.stop = stop
    try trainer.run()
    return (trainer, log)
  }

  @Test("folders of classes alone are divided by class, which is said and kept with the run")
  func classesAlone() throws {
    try fill(["flat"], classes: ["train", "val", "x"])
    var settings = configuration("flat")
    settings.epochs = 1
    settings.schedule.warmUp.epochs = 0
    let (trainer, log) = try train(settings, classes: 3)
    #expect(log.notices.contains { $0.contains("20 % of each class") })
    #expect(log.notices.contains { $0.contains("only 3 steps in all (3 in each of 1 epochs)") })
    #expect(trainer.configuration.data.trainingFolder == "")
    #expect(trainer.configuration.data.validationFraction == 0.2)
    let data = trainer.configuration.data
    #expect(try data.open(.training).classCounts == [8, 8, 8])
    #expect(try data.open(.validation).classCounts == [2, 2, 2])
    settings.data.validationFraction = 0.5
    #expect(try settings.data.open(.validation).classCounts == [5, 5, 5])
  }

  @Test("a missing part names the settings that help")
  func missingParts() throws {
    try fill(["data/train", "data/test"], classes: ["a", "b"], count: 2)
    let data = configuration("data").data
    func message(_ part: DataPart, of data: DataConfiguration) -> String {
      do {
        _ = try data.open(part)
        return ""
      } catch { return "\(error)" }
    }
    var other = data
    other.validationFolder = "checks"
    #expect(message(.validation, of: other).contains("data.validationFraction"))
    #expect(message(.validation, of: other).hasPrefix("data.validationFolder is checks: "))
    other = data
    other.trainingFolder = "Training"
    #expect(message(.training, of: other).hasPrefix("data.trainingFolder is Training: "))
    #expect(message(.training, of: other).contains("train, test"))
    try fill(["data/validation"], classes: ["a", "b"], count: 3)
    #expect(try data.open(.validation).count == 6)
  }

  @Test("an absent or empty class is a warning beside the training images, another one an error")
  func absentClasses() throws {
    try fill(["data/train"], classes: ["a", "b", "c"], count: 2)
    try fill(["data/val"], classes: ["a", "c"], count: 2)
    let data = configuration("data").data
    let names = try data.open(.training).classNames
    let validation = try data.open(.validation, classNames: names)
    #expect(validation.classCounts == [2, 0, 2] && validation.warnings == [.emptyClasses(["b"])])
    try fill(["data/val"], classes: ["d"], count: 1)
    #expect(throws: DataSetError.self) { try data.open(.validation, classNames: names) }
    try folder.makeFolder("data/train/e")
    #expect(throws: DataSetError.emptyClasses(path: folder("data/train"), classes: ["e"])) {
      try data.open(.training)
    }
  }

  @Test("lists are trained on as folders are")
  func lists() throws {
    try fill(["images"], classes: ["a", "b"])
    let rows = (0..<10).flatMap { ["images/a/\($0).png,a", "images/b/\($0).png,b"] }
    try folder.write("all.csv", Array(("path,label\n" + rows.joined(separator: "\n")).utf8))
    var settings = configuration("all.csv")
    settings.epochs = 1
    settings.schedule.warmUp.epochs = 0
    let (trainer, log) = try train(settings, classes: 2)
    #expect(log.notices.contains { $0.contains("is one list: 20 %") })
    #expect(trainer.configuration.data.source == .list)
    #expect(try trainer.configuration.data.open(.validation).classCounts == [2, 2])
    try folder.write("lists/train.csv", Array("../images/a/1.png,a\n../images/b/1.png,b".utf8))
    try folder.write("lists/valid.csv", Array("../images/a/2.png,a".utf8))
    var data = DataConfiguration()
    data.source = .list
    data.path = folder("lists")
    #expect(try data.open(.training).count == 2)
    #expect(try data.open(.validation, classNames: ["a", "b"]).classCounts == [1, 0])
    #expect(throws: ConfigurationError.self) { try data.open(.test) }
  }

  @Test("a batch larger than the data becomes one of all images, which is said")
  func largeBatch() throws {
    try fill(["data/train", "data/val"], classes: ["a", "b"], count: 5)
    var settings = configuration("data")
    settings.batchSize = 128
    settings.epochs = 1
    settings.schedule.warmUp.epochs = 0
    let (trainer, log) = try train(settings, classes: 2)
    #expect(trainer.configuration.batchSize == 10)
    #expect(log.notices.contains { $0.contains("batches of 10 instead") })
  }

  @Test("a run goes on with the classes and images that it had, or says what changed")
  func resume() throws {
    try fill(["data/train", "data/val"], classes: ["a", "b", "c"])
    let (first, _) = try train(configuration("data"), classes: 3, stopAfter: 4)
    let run = first.folder.path
    let record = try #require(try CheckpointStore(path: first.folder.checkpoints).load().state.data)
    #expect(record.classes == ["a", "b", "c"] && record.training.images == 30)
    #expect(FileManager.default.fileExists(atPath: first.folder.data))
    // The same data elsewhere is the same data.
    let manager = FileManager.default
    for part in ["train", "val"] {
      try manager.moveItem(atPath: folder("data/\(part)/a"), toPath: folder("data/\(part)/z"))
    }
    #expect {
      try Trainer(resuming: run, allowsOtherImages: true)
    } throws: {
      "\($0)".contains("unexpected: z; missing: a")
    }
    for part in ["train", "val"] {
      try manager.moveItem(atPath: folder("data/\(part)/z"), toPath: folder("data/\(part)/a"))
    }
    _ = try Trainer(resuming: run)
    for index in 0..<9 {
      try manager.removeItem(atPath: folder("data/train/b/\(index).png"))
    }
    #expect {
      try Trainer(resuming: run)
    } throws: {
      "\($0)".contains("there are 21 training images, before there were 30")
    }
    let log = EventLog()
    let trainer = try Trainer(resuming: run, observers: [log], allowsOtherImages: true)
    trainer.stop = StopSignal()
    #expect(try trainer.run().ending == .completed)
    #expect(log.notices.contains { $0.contains("there are 21 training images") })
    // From now on these are its images.
    _ = try Trainer(resuming: run)
  }

  @Test("files of another size are other images; a checkpoint without a record goes on")
  func sizes() throws {
    try fill(["data/train", "data/val"], classes: ["a", "b", "c"], count: 4)
    let (first, _) = try train(configuration("data"), classes: 3, stopAfter: 1)
    let run = first.folder.path
    try folder.write(
      "data/val/c/1.png",
      Image(width: 9, height: 9, channels: 1, pixels: .init(repeating: 1, count: 81)).pngData())
    #expect {
      try Trainer(resuming: run)
    } throws: {
      "\($0)".contains("the 12 validation images have other names or sizes")
    }
    let store = CheckpointStore(path: first.folder.checkpoints)
    let file = "\(store.folder(of: try store.load().name))/state.json"
    var manifest = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
        as? [String: Any])
    var state = try #require(manifest["state"] as? [String: Any])
    state["data"] = nil
    manifest["state"] = state
    try JSONSerialization.data(withJSONObject: manifest).write(to: URL(filePath: file))
    _ = try Trainer(resuming: run)
    // The classes stand in its weights.
    try FileManager.default.moveItem(atPath: folder("data/train/a"), toPath: folder("data/train/z"))
    #expect(throws: DataSetError.self) { try Trainer(resuming: run) }
  }
}

@Suite("Bounds of settings")
struct SettingBoundTests {
  @Test(
    "numbers beyond reason are one line with the setting and its range",
    arguments: [
      "epochs", "batchSize", "accumulation", "threads", "patience", "evaluateEveryEpochs",
      "model.classes", "model.inputSize", "model.inputChannels", "model.outputStride",
      "data.workers", "data.prefetch", "data.evaluationBatchSize", "augmentation.padding",
      "augmentation.cropSize", "augmentation.randAugmentOperations", "augmentation.cutout",
      "mixing.endEpoch", "optimizer.referenceBatchSize", "checkpoints.keepBest",
      "checkpoints.everySteps", "checkpoints.everyEpochs", "output.logEverySteps",
    ])
  func integers(setting: String) throws {
    for value in [Int.max, Int.min, -1] {
      #expect {
        try decode(setting, "\(value)")
      } throws: {
        guard let error = $0 as? ConfigurationError else { return false }
        return error.setting == setting && error.expected.contains("…")
      }
    }
  }

  @Test(
    "so are fractions and rates",
    arguments: [
      "augmentation.evaluationCrop", "augmentation.flip", "augmentation.hue", "mixing.mixup",
      "mixing.cutmix", "optimizer.learningRate", "optimizer.weightDecay", "optimizer.epsilon",
      "optimizer.clipNorm", "schedule.decayEpochs", "schedule.decayRate", "schedule.power",
      "schedule.finalRate", "schedule.startDivisor", "schedule.endDivisor",
      "schedule.warmUp.epochs",
      "schedule.warmUp.from", "model.width", "timeBudgetMinutes", "average.decay",
    ])
  func numbers(setting: String) throws {
    for value in ["1e300", "-1e300"] {
      #expect {
        try decode(setting, value)
      } throws: {
        ($0 as? ConfigurationError)?.setting == setting
      }
    }
  }

  @Test("a run's name is a plain name")
  func names() throws {
    for name in ["a\\nb", "\\u001b[31m", String(repeating: "x", count: 201)] {
      #expect {
        try decode("output.name", "\"\(name)\"")
      } throws: {
        ($0 as? ConfigurationError)?.setting == "output.name" && !"\($0)".contains("\n")
          && !"\($0)".contains("\u{1b}")
      }
    }
  }

  private func decode(_ setting: String, _ value: String) throws {
    var text = value
    for key in setting.split(separator: ".").reversed() { text = "{\"\(key)\": \(text)}" }
    var configuration = try JSONDecoder().decode(TrainingConfiguration.self, from: Data(text.utf8))
    configuration.data.path = configuration.data.path ?? "photos"
    try configuration.validate()
  }
}
