// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXNetworks
import MUXTensor
import MUXTraining
import Testing

/// Runs that are cut short, prolonged, or averaged at their end.
@Suite struct RunLengthTests {
  private func trainer(
    _ folder: String, _ name: String, _ change: (inout TrainingConfiguration) -> Void = { _ in },
    observers: [any TrainingObserver] = []
  ) throws -> Trainer {
    var configuration = TestRun.configuration(folder)
    configuration.output.name = name
    change(&configuration)
    let trainer = try Trainer(configuration, network: TestRun.network(), observers: observers)
    trainer.stop = StopSignal()
    return trainer
  }

  @Test("a limit of steps ends a run after an evaluation, and without it the run goes on exactly")
  func maxSteps() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try trainer(folder, "whole", { $0.epochs = 2 })
    try whole.run()
    let log = EventLog()
    let first = try trainer(
      folder, "short",
      {
        $0.epochs = 2
        $0.maxSteps = 4
      }, observers: [log])
    let result = try first.run()
    #expect(result.ending == .maxSteps && result.steps == 4 && result.epochs == 0)
    #expect(result.weights.map { FileManager.default.fileExists(atPath: $0) } == true)
    #expect(
      log.notices.contains { $0.hasPrefix("validation after 4 steps: ") && $0.contains("loss") })
    // The limit still holds, so that nothing is done; then one at the end of an epoch.
    let again = try Trainer(resuming: first.folder.path)
    again.stop = StopSignal()
    #expect(try again.run().steps == 4)
    let third = try Trainer(resuming: first.folder.path) { $0.maxSteps = 6 }
    third.stop = StopSignal()
    let atEnd = try third.run()
    #expect(atEnd.ending == .maxSteps && atEnd.epochs == 1 && atEnd.steps == 6)
    let last = try Trainer(resuming: first.folder.path) { $0.maxSteps = 0 }
    last.stop = StopSignal()
    #expect(try last.run().ending == .completed)
    #expect(try TestRun.bits(of: first.folder.path) == TestRun.bits(of: whole.folder.path))
  }

  @Test("a finished run is prolonged on the schedule of its new length, and says so")
  func prolonged() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let first = try trainer(folder, "run", { $0.epochs = 2 })
    #expect(try first.run().ending == .completed)
    let path = first.folder.path
    let error = #expect(throws: ConfigurationError.self) {
      try Trainer(resuming: path) { $0.epochs = 1 }
    }
    #expect(
      error?.description
        == "epochs is 1: the run was started with 2; it can be extended, not shortened")
    let log = EventLog()
    let stop = StopSignal()
    let second = try Trainer(
      resuming: path, observers: [log, AfterStep(14) { stop.request() }]
    ) { $0.epochs = 4 }
    second.stop = stop
    #expect(!FileManager.default.fileExists(atPath: second.folder.result))
    try second.run()
    #expect(
      log.notices.contains {
        $0.hasPrefix(
          "prolonged from 2 to 4 epochs: the learning rate follows the schedule of 4 epochs")
      }, "\(log.notices)")
    // Half of the cosine of four epochs.
    let rate = try #require(log.steps.first).learningRate
    #expect(abs(rate - 0.01) < 1e-9, "\(rate)")
    // It goes on with its new length by itself.
    let third = try Trainer(resuming: path)
    third.stop = StopSignal()
    let result = try third.run()
    #expect(result.epochs == 4 && result.steps == 24 && result.ending == .completed)
    let saved = try ConfigurationTree(contentsOf: third.folder.configuration)
      .decode(TrainingConfiguration.self)
    #expect(saved.epochs == 4)
    let environment = try String(contentsOfFile: third.folder.environment, encoding: .utf8)
    #expect(environment.contains("\"epochs\" : 2") && environment.contains("\"epochs\" : 4"))
  }

  private static func average(_ value: inout TrainingConfiguration) {
    value.epochs = 4
    value.average.kind = .swa
    value.average.startEpoch = 1
    value.average.statisticsBatches = 5
    value.augmentation.padding = 0
    value.mixing.mixup = 0
  }

  @Test("a plain mean of weights is that of the ends of epochs, with statistics of its own")
  func plainMean() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    final class Ends: TrainingObserver {
      var model: NetworkModel?
      var weights: [[Float]] = []
      func handle(_ event: TrainingEvent) throws {
        if case .epoch = event, let weight = model?.tensor(named: "conv_head.weight") {
          weights.append(try weight.detach().floats())
        }
      }
    }
    let ends = Ends()
    let run = try trainer(folder, "run", Self.average, observers: [ends])
    ends.model = run.model
    try run.run()
    let averaged = try #require(run.averagedModel)
    let mean = try #require(averaged.tensor(named: "conv_head.weight")).detach().floats()
    for index in mean.indices {
      let expected = ends.weights[1...].reduce(0) { $0 + $1[index] } / 3
      #expect(abs(mean[index] - expected) < 1e-5)
    }
    // The statistics are the means over the first batches of the last epoch.
    let stem = try #require(averaged.tensor(named: "bn1.running_mean")).detach().floats()
    #expect(
      stem
        != (try #require(run.model.tensor(named: "bn1.running_mean")).detach().floats()))
  }

  @Test("a run with a plain mean goes on exactly, also when stopped in its evaluation")
  func plainMeanResumes() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try trainer(folder, "whole", Self.average)
    try whole.run()
    let stop = StopSignal()
    final class InEvaluation: TrainingObserver {
      let stop: StopSignal
      var epochs = 0
      init(_ stop: StopSignal) { self.stop = stop }
      func handle(_ event: TrainingEvent) {
        if case .epoch = event { epochs += 1 }
        if case .evaluating = event, epochs == 2 { stop.request() }
      }
    }
    let first = try trainer(folder, "stopped", Self.average, observers: [InEvaluation(stop)])
    first.stop = stop
    #expect(try first.run().epochs == 2)
    let second = try Trainer(resuming: first.folder.path)
    second.stop = StopSignal()
    #expect(try second.run().epochs == 4)
    #expect(try TestRun.bits(of: first.folder.path) == TestRun.bits(of: whole.folder.path))
  }

  @Test("folds divide the training images, each held out once; other numbers are refused")
  func folds() throws {
    var data = DataConfiguration()
    data.source = .digits
    data.folds = 4
    data.testFraction = 0.2
    var held: [String] = []
    let test = try data.open(.test)
    for fold in 1...4 {
      data.fold = fold
      try data.validate()
      let (training, validation) = (try data.open(.training), try data.open(.validation))
      #expect(training.count + validation.count + test.count == 1797)
      let names = Set((0..<training.count).map(training.name(at:)))
      let own = (0..<validation.count).map(validation.name(at:))
      #expect(names.isDisjoint(with: own))
      held += own
      let counts = validation.classCounts
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 3)
    }
    #expect(Set(held).count == held.count && held.count == 1797 - test.count)
    for (folds, fold, setting) in [(4, 5, "data.fold"), (4, 0, "data.fold"), (1, 1, "data.folds")] {
      data.folds = folds
      data.fold = fold
      let error = #expect(throws: ConfigurationError.self) { try data.validate() }
      #expect(error?.setting == setting)
    }
    data.folds = nil
    data.fold = 2
    data.validationFraction = 0.1
    let error = #expect(throws: ConfigurationError.self) { try data.validate() }
    #expect(error?.setting == "data.fold")
  }
}
