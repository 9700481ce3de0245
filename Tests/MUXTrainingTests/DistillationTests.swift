// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTraining
import MUXVision
import MUXWeights
import Testing

@Suite("Learning from a teacher") struct DistillationTests {
  @Test("the difference from a teacher is T² times the divergence of the softened answers")
  func differences() throws {
    let (own, teacher) = ([1.0, -2, 0.5, 0, -1, 3], [0.5, -1, 2, 1, 1, 0.25])
    func tensor(_ values: [Double]) throws -> Tensor {
      try Tensor(values.map { Float($0) }, shape: [2, 3])
    }
    for temperature in [1, 4.0] {
      func softmax(_ values: [Double], _ row: Int) -> [Double] {
        let powers = values[3 * row..<3 * row + 3].map { exp($0 / temperature) }
        return powers.map { $0 / powers.reduce(0, +) }
      }
      var expected = 0.0
      for row in 0..<2 {
        for (p, q) in zip(softmax(teacher, row), softmax(own, row)) { expected += p * log(p / q) }
      }
      expected *= temperature * temperature / 2
      let found = try #require(
        try Classification().difference(
          of: [tensor(own)], from: tensor(teacher), temperature: temperature)
      ).item()
      #expect(abs(found - expected) < 1e-5)
      var several = 0.0
      for (a, b) in zip(own, teacher) {
        let (q, p) = (1 / (1 + exp(-a / temperature)), 1 / (1 + exp(-b / temperature)))
        several += (p * log(p / q) + (1 - p) * log((1 - p) / (1 - q))) / 6
      }
      let binary = try #require(
        try MultiLabel().difference(
          of: [tensor(own)], from: tensor(teacher), temperature: temperature)
      ).item()
      #expect(abs(binary - several * temperature * temperature) < 1e-5)
      #expect(
        abs(
          try #require(
            try MultiLabel().difference(
              of: [tensor(own)], from: tensor(own), temperature: temperature)
          ).item()) < 1e-6)
    }
  }

  private func configuration(_ folder: String, _ name: String) -> TrainingConfiguration {
    var value = TestRun.configuration(folder)
    value.epochs = 2
    value.output.name = name
    return value
  }

  private func run(
    _ configuration: TrainingConfiguration, headChannels: Int = 16, stopAfter step: Int? = nil,
    log: EventLog = EventLog()
  ) throws -> String {
    let stop = StopSignal()
    let trainer = try Trainer(
      configuration, network: TestRun.network(headChannels: headChannels),
      observers: [log] + (step.map { [AfterStep($0) { stop.request() }] } ?? []))
    trainer.stop = stop
    try trainer.run()
    return trainer.folder.path
  }

  @Test(
    "a run with a teacher goes on exactly, mixed images or none; the parts of its loss are told")
  func resume() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let teacher = try run(configuration(folder, "teacher"), headChannels: 24)
    for isFixed in [false, true] {
      func change(_ name: String) -> TrainingConfiguration {
        var value = configuration(folder, name + (isFixed ? "-fixed" : ""))
        value.distillation.teacher = teacher
        value.distillation.weight = 0.7
        if isFixed {
          value.mixing.mixup = 0
          value.augmentation.crop = .none
        }
        return value
      }
      let log = EventLog()
      let whole = try run(change("whole"), log: log)
      #expect(log.notices.contains { $0.contains("the teacher is") && $0.contains("tiny_mux") })
      #expect(log.notices.contains { $0.contains("computed once") } == isFixed)
      let step = try #require(log.steps.last)
      #expect(step.lossParts.map(\.name) == ["task", "distillation"])
      #expect(
        abs(step.loss - 0.3 * step.lossParts[0].value - 0.7 * step.lossParts[1].value) < 1e-5)
      let stopped = try run(change("stopped"), stopAfter: 7)
      let second = try Trainer(resuming: stopped)
      second.stop = StopSignal()
      try second.run()
      #expect(try TestRun.bits(of: stopped) == TestRun.bits(of: whole), "fixed: \(isFixed)")
    }
  }

  @Test(
    "a student that only follows its teacher comes near to it, at another size and normalisation")
  func follows() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = configuration(folder, "teacher")
    settings.model.inputSize = 12
    settings.data.mean = [0.5]
    settings.data.standardDeviation = [0.25]
    settings.mixing = MixingConfiguration()
    settings.epochs = 6
    let teacher = try run(settings, headChannels: 24)
    var student = configuration(folder, "student")
    student.epochs = 15
    student.distillation.teacher = teacher
    student.distillation.weight = 1
    let log = EventLog()
    _ = try run(student, log: log)
    let first = try #require(log.epochs.first?.trainingLoss)
    let last = try #require(log.epochs.last?.trainingLoss)
    #expect(last < 0.7 * first, "\(first) to \(last)")
  }

  @Test(
    "features are learned from the teacher's, come nearer to them, and a stopped run goes on exactly",
    arguments: [false, true])
  func features(checkpoints: Bool) throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let teacher = try run(configuration(folder, "teacher"), headChannels: 24)
    func change(_ name: String) -> TrainingConfiguration {
      var value = configuration(folder, name)
      value.seed = 11
      value.epochs = 4
      value.distillation.teacher = teacher
      value.distillation.weight = 0.4
      value.distillation.features = ["auto", "blocks.0.0=blocks.0.0"]
      value.distillation.featureWeight = 0.5
      value.model.checkpointsActivations = checkpoints
      return value
    }
    let log = EventLog()
    let whole = try run(change("whole"), log: log)
    #expect(
      log.notices.contains {
        $0.hasPrefix("features learned from the teacher: ") && $0.contains("(4×4)")
      },
      "\(log.notices)")
    let (first, last) = (try #require(log.steps.first), try #require(log.steps.last))
    #expect(last.lossParts.map(\.name) == ["task", "distillation", "features"])
    let parts = last.lossParts.map(\.value)
    #expect(abs(last.loss - 0.6 * parts[0] - 0.4 * parts[1] - 0.5 * parts[2]) < 1e-5)
    #expect(parts[2] < 0.95 * first.lossParts[2].value, "\(first.lossParts) to \(last.lossParts)")
    let weights = try TestRun.bits(of: whole).keys
    #expect(weights.contains("optimizer/distillation.features.0.weight"))
    #expect(!weights.contains { $0.hasPrefix("weights/") && $0.contains("distillation") })
    let stopped = try run(change("stopped"), stopAfter: 7)
    let second = try Trainer(resuming: stopped)
    second.stop = StopSignal()
    try second.run()
    #expect(try TestRun.bits(of: stopped) == TestRun.bits(of: whole))
  }

  @Test("features that cannot be matched are refused in one line")
  func featureRefusals() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let teacher = try run(configuration(folder, "teacher"))
    func error(_ features: [String], teacher: String? = teacher) -> String {
      var value = configuration(folder, "run")
      value.distillation.teacher = teacher
      value.distillation.features = features
      do {
        _ = try Trainer(value, network: TestRun.network())
        return "none"
      } catch { return "\(error)" }
    }
    #expect(
      error(["auto"], teacher: nil).contains(
        "are those of distillation.teacher, and that is not set"))
    #expect(error(["blocks.0.7"]).contains("blocks.0.0"))
    #expect(
      error(["blocks.0.0=blocks.1.0"]).contains(
        "the student's layer gives 8×8, the teacher's 4×4"))
    #expect(error(["classifier"]).contains("maps of one size"))
    #expect(error([""]).contains("give auto, the name of a layer, or student=teacher"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
  }

  @Test("teachers of other classes, tasks and images are refused before anything is made")
  func refusals() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func error(_ network: Network, names: [String], task: NamedTask = NamedTask()) throws -> String
    {
      let path = "\(folder)/teacher.safetensors"
      let model = try NetworkModel(network, seed: 1)
      let metadata = try WeightsMetadata(
        network: network, task: task, classNames: names,
        pipeline: ImagePipeline(
          transforms: [.resize(Resize(size: ImageSize(8)))], channels: network.inputChannels,
          mean: [Float](repeating: 0.3, count: network.inputChannels),
          standardDeviation: [Float](repeating: 0.3, count: network.inputChannels))
      ).dictionary()
      try Safetensors.write(model.archive(metadata: metadata), to: path)
      var value = configuration(folder, "run")
      value.distillation.teacher = path
      do {
        _ = try Trainer(value, network: TestRun.network())
        return "none"
      } catch { return "\(error)" }
    }
    let digits = (0..<10).map(String.init)
    #expect(
      try error(TestRun.network(classes: 7), names: (0..<7).map { "c\($0)" })
        .hasSuffix("it knows 7 classes, and the data has 10"))
    #expect(
      try error(TestRun.network(), names: (0..<10).map { "c\($0)" })
        .contains("it does not know 0, 1, 2, 3, 4; its classes are c0, c1"))
    #expect(
      try error(TestRun.network(), names: digits, task: NamedTask(MultiLabel()))
        .hasSuffix("it is for the task multiLabel, and the student learns classification"))
    #expect(try error(TestRun.network(), names: digits.reversed()) == "none")
    try FileManager.default.removeItem(atPath: "\(folder)/run")
    var value = configuration(folder, "run")
    value.distillation.teacher = "\(folder)/absent.safetensors"
    #expect(throws: (any Error).self) { try Trainer(value, network: TestRun.network()) }
    value.distillation.teacher = nil
    value.distillation.temperature = 0
    #expect(throws: ConfigurationError.self) { try value.validate() }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
  }
}
