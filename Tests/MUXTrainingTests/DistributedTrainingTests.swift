// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXTensor
import MUXTensorTestSupport
import MUXTestSupport
import MUXTraining
import MUXVision
import Testing

/// Runs on the digits by several members of a group, here threads of one process.
@Suite("Several processes that train as one", .tags(.waits), .endsSometime)
struct DistributedTrainingTests {
  /// Without batch norms and dropout.
  private static func plain() throws -> Network {
    try smallNetwork("plain", inputChannels: 1, side: 8) { builder, x in
      var x = builder.convolution(x, "a", outputChannels: 8, kernelSize: 3, hasBias: true)
      x = builder.activation(x, "b", .relu)
      x = builder.convolution(x, "c", outputChannels: 16, kernelSize: 3, stride: 2, hasBias: true)
      x = builder.activation(x, "d", .hardSwish)
      _ = builder.classify(x, classes: 10)
    }
  }

  /// Mixed, shifted and smoothed images, two batches a step, averaged weights.
  private static func settings(_ folder: String, steps: Int = 8) -> TrainingConfiguration {
    var value = TestRun.configuration(folder)
    value.threads = 1
    value.maxSteps = steps
    value.optimizer.kind = .sgd
    value.optimizer.learningRate = 0.1
    value.mixing.probability = 1
    value.mixing.cutmix = 0.5
    return value
  }

  /// Trains in a folder of its own, which is removed, by `size` members.
  private static func train(
    _ size: Int, _ network: @escaping @Sendable () throws -> Network,
    _ adjust: @escaping @Sendable (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> (weights: [[Float]], state: TrainingState, endings: [TrainingResult]) {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    @Sendable func run(_ group: ProcessGroup) throws -> (TrainingResult, [[Float]]) {
      var configuration = settings(folder)
      adjust(&configuration)
      let trainer = try Trainer(configuration, network: network(), group: group)
      trainer.stop = StopSignal()
      let result = try trainer.run()
      return (result, try trainer.model.parameters.map { try $0.tensor.contiguous().floats() })
    }
    let results =
      size == 1 ? [try run(.single)] : try Ranks.run(size, run).map { try $0.get() }
    for other in results.dropFirst() {
      #expect(other.1 == results[0].1, "all members have the same weights, bit for bit")
    }
    let state = try CheckpointStore(path: "\(folder)/run/checkpoints").load().state
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder) == ["run"],
      "one of them writes")
    return (results[0].1, state, results.map(\.0))
  }

  private static func difference(_ a: [[Float]], _ b: [[Float]]) -> Float {
    zip(a, b).map { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }.max() ?? .infinity
  }

  @Test("Without batch norms two and three give the weights of one, and its scores")
  func exact() throws {
    let one = try Self.train(1, Self.plain)
    for size in [2, 3] {
      let several = try Self.train(size, Self.plain)
      #expect(Self.difference(several.weights, one.weights) < 1e-5)
      #expect(several.state.step == 8 && several.endings.allSatisfy { $0.ending == .maxSteps })
      let (a, b) = (several.state.history[0], one.state.history[0])
      #expect(abs(a.trainingLoss - b.trainingLoss) < 1e-5)
      let (first, second) = (try #require(a.validation), try #require(b.validation))
      #expect(abs(try #require(first["loss"]) - (try #require(second["loss"]))) < 1e-4)
      #expect(first["top1"] == second["top1"])
    }
  }

  @Test("With synchronised batch norms two give the weights of one over 20 steps; without, others")
  func synchronised() throws {
    let network: @Sendable () throws -> Network = { try TestRun.network(drops: false) }
    let longer: @Sendable (inout TrainingConfiguration) -> Void = {
      $0.maxSteps = 20
      $0.epochs = 4
      $0.optimizer.learningRate = 0.02
      $0.distributed.synchronizedNorms = true
    }
    let one = try Self.train(1, network, longer)
    let two = try Self.train(2, network, longer)
    #expect(Self.difference(two.weights, one.weights) < 1e-4)
    let own = try Self.train(2, network) {
      longer(&$0)
      $0.distributed.synchronizedNorms = false
    }
    #expect(Self.difference(own.weights, one.weights) > 1e-4)
    #expect(own.endings[0].steps == 20)
  }

  @Test(
    "Broken off and gone on with, two end as two that were not, bit for bit; one says what changed")
  func resume() throws {
    let folders = try (0..<3).map { _ in try TestRun.makeFolder() }
    defer { for folder in folders { try? FileManager.default.removeItem(atPath: folder) } }
    @Sendable func begin(_ folder: String, _ steps: Int, _ group: ProcessGroup) throws {
      let configuration = Self.settings(folder, steps: steps)
      // Dropout and batch norms of each process's own.
      let trainer = try Trainer(configuration, network: TestRun.network(), group: group)
      trainer.stop = StopSignal()
      try trainer.run()
    }
    _ = try Ranks.run(2) { try begin(folders[0], 9, $0) }.map { try $0.get() }
    for folder in folders[1...] {
      _ = try Ranks.run(2) { try begin(folder, 5, $0) }.map { try $0.get() }
    }
    _ = try Ranks.run(2) { group in
      let trainer = try Trainer(resuming: "\(folders[1])/run", group: group) { $0.maxSteps = 9 }
      trainer.stop = StopSignal()
      try trainer.run()
    }.map { try $0.get() }
    let (whole, broken) = (
      try TestRun.bits(of: "\(folders[0])/run"), try TestRun.bits(of: "\(folders[1])/run")
    )
    #expect(whole.count > 20 && whole == broken)
    #expect(
      try TestRun.numbers(of: "\(folders[0])/run") == TestRun.numbers(of: "\(folders[1])/run"))
    let log = EventLog()
    let alone = try Trainer(resuming: "\(folders[2])/run", observers: [log]) { $0.maxSteps = 9 }
    alone.stop = StopSignal()
    #expect(try alone.run().steps == 9)
    #expect(log.notices.contains { $0.contains("processes 2, now 1") })
  }

  @Test("A wish to stop that one of them hears stops all of them after the same step")
  func stops() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let results = try Ranks.run(2) { group in
      let stop = StopSignal()
      let trainer = try Trainer(
        Self.settings(folder), network: Self.plain(),
        observers: group.isFirst ? [] : [AfterStep(3) { stop.request(SIGTERM) }], group: group)
      trainer.stop = stop
      return try trainer.run()
    }.map { try $0.get() }
    // Heard after the third step, agreed on with the fourth.
    #expect(results.allSatisfy { $0.ending == .interrupted && $0.steps == 4 && $0.exitCode == 143 })
    let state = try CheckpointStore(path: "\(folder)/run/checkpoints").load().state
    #expect(state.step == 4)
  }

  @Test("A budget that the first has spent ends all after the same step, and patience that of all")
  func budgets() throws {
    func endings(
      _ adjust: @escaping @Sendable (inout TrainingConfiguration, Int) -> Void
    ) throws -> [TrainingResult] {
      let folder = try TestRun.makeFolder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      return try Ranks.run(2) { group in
        var configuration = Self.settings(folder, steps: 0)
        adjust(&configuration, group.rank)
        let trainer = try Trainer(configuration, network: Self.plain(), group: group)
        trainer.stop = StopSignal()
        return try trainer.run()
      }.map { try $0.get() }
    }
    // Each has a clock of its own: that of the first counts.
    let short = try endings { $0.timeBudgetMinutes = $1 == 0 ? 1e-9 : 60 }
    #expect(short.allSatisfy { $0.ending == .timeBudget && $0.steps == 1 })
    let long = try endings { $0.timeBudgetMinutes = $1 == 0 ? 60 : 1e-9 }
    #expect(long.allSatisfy { $0.ending == .completed && $0.epochs == 3 })
    let patient = try endings { settings, _ in
      settings.epochs = 9
      settings.optimizer.momentum = 0
      settings.optimizer.learningRate = 1e-30
      settings.schedule.warmUp.epochs = 0
      settings.average.isEnabled = false
      settings.checkpoints.metric = "top1"
      settings.patience = 2
    }
    #expect(patient.allSatisfy { $0.ending == .patience && $0.epochs == patient[0].epochs })
    #expect(patient[0].epochs < 9)
  }

  @Test(
    "Other settings, data or networks in one of them are refused before the first step, with both values",
    arguments: ["settings", "data", "network"])
  func differences(what: String) throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let results = try Ranks.run(2) { group in
      var configuration = Self.settings(folder)
      if group.rank == 1, what == "settings" { configuration.optimizer.learningRate = 0.25 }
      if group.rank == 1, what == "data" { configuration.data.validationFraction = 0.2 }
      let network =
        try group.rank == 1 && what == "network"
        ? TestRun.network(headChannels: 24) : TestRun.network()
      try Trainer(configuration, network: network, group: group).run()
    }
    for result in results {
      #expect { try result.get() } throws: { error in
        guard let error = error as? ProcessGroupError,
          case .differs(1, let fact, let value, let first) = error
        else { return false }
        return value != first
          && ["settings": "the setting", "data": "the setting", "network": "the network"][what]
            == fact
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test("Other images below the same settings are refused before the first step, with both values")
  func otherImages() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (rank, count) in [10, 20].enumerated() {
      for name in ["a", "b"] {
        let place = "\(folder)/data\(rank)/\(name)"
        try FileManager.default.createDirectory(
          atPath: place, withIntermediateDirectories: true)
        for index in 0..<count {
          let image = Image(width: 8, height: 8, color: [UInt8(10 * index)])
          try Data(image.pngData()).write(to: URL(filePath: "\(place)/\(index).png"))
        }
      }
    }
    let results = try Ranks.run(2) { group in
      var configuration = Self.settings("\(folder)/runs")
      configuration.batchSize = 8
      configuration.accumulation = 1
      configuration.data = DataConfiguration()
      // Which may be elsewhere on another machine, and must be the same images.
      configuration.data.path = "\(folder)/data\(group.rank)"
      try Trainer(configuration, network: TestRun.network(classes: 2), group: group).run()
    }
    for result in results {
      #expect { try result.get() } throws: { error in
        guard let error = error as? ProcessGroupError,
          case .differs(1, "training images:", let value, let first) = error
        else { return false }
        return value.hasPrefix("32 ") && first.hasPrefix("16 ")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/runs/run"))
  }

  @Test("Another version of the program is refused before anything else, with both versions")
  func otherVersion() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let results = try Ranks.run(2) { group in
      guard group.isFirst else {
        // What a program of that version says, whatever else it compares.
        return try group.agree(on: [("muxnet", "0.0.9"), ("the weather", "fair")])
      }
      try Trainer(Self.settings(folder), network: Self.plain(), group: group).run()
    }
    for result in results {
      #expect(
        throws: ProcessGroupError.differs(
          rank: 1, what: "muxnet", value: "0.0.9", first: MUXNetVersion.current)
      ) { try result.get() }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test("A batch too small for the processes is refused in one line")
  func small() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let results = try Ranks.run(2) { group in
      var configuration = Self.settings(folder)
      configuration.batchSize = 3
      _ = try Trainer(configuration, network: Self.plain(), group: group)
    }
    for result in results {
      #expect { try result.get() } throws: {
        "\($0)".contains("at least 2 for each of 2 processes")
      }
    }
  }
}
