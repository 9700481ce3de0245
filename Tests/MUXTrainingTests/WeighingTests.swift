// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXImages
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTraining
import MUXVision
import Testing

/// Weights of classes, the focal loss, and samplers, in the loss and in a run.
@Suite struct WeighingTests {
  struct Data: ImageDataSet {
    var targets: [Target]
    var count: Int { targets.count }
    var classNames: [String] { ["a", "b", "c"] }
    func target(at index: Int) -> Target { targets[index] }
    func name(at index: Int) -> String { "\(index)" }
    func image(at index: Int) throws -> Image { Image(width: 1, height: 1, color: [0]) }
  }

  private static let logits: [Double] = [1, -2, 0.5, 0, -1, 3, 2, -0.5, 0.25, 1, 1, -3]
  private static let labels = [0, 2, 0, 1]

  private func loss(
    _ weighing: ObjectiveConfiguration, task: any VisionTask = Classification(),
    targets: [Target] = labels.map { .label($0) }, mixing: MixingConfiguration = .init(),
    shares: SampleShares? = nil
  ) throws -> Double {
    let data = Data(targets: targets)
    let settings = ObjectiveSettings(
      mixing: mixing, seed: 0, training: data, weighing: weighing, shares: shares)
    func make<Task: TrainableTask>(_ task: Task) throws -> any TrainingObjective {
      let network = try smallNetwork("n", inputChannels: 1, side: 1) { builder, x in
        _ = builder.classify(x, classes: 3)
      }
      return try task.objective(
        settings, head: task.head(for: network, classNames: data.classNames))
    }
    let trainable = try #require(task as? any TrainableTask)
    let objective = try make(trainable)
    let batch = Batch(
      pixels: PixelBatch(count: 4, channels: 1, height: 1, width: 1, values: [0, 1, 2, 3]),
      targets: targets)
    return try objective.losses(of: batch) { _ in
      [try Tensor(Self.logits.map { Float($0) }, shape: [4, 3])]
    }.total.item()
  }

  private func logarithms(_ row: Int) -> [Double] {
    let own = Self.logits[3 * row..<3 * row + 3]
    let sum = log(own.reduce(0) { $0 + exp($1) })
    return own.map { $0 - sum }
  }

  /// −Σ w·t·(1 − p)^γ·log p, the mean over the images.
  private func expected(
    _ targets: [[Double]], weights: [Double] = [1, 1, 1], focal: Double = 0
  ) -> Double {
    targets.enumerated().reduce(0) { sum, entry in
      let values = logarithms(entry.offset)
      return sum
        - (0..<3).reduce(0) {
          $0 + weights[$1] * entry.element[$1] * pow(1 - exp(values[$1]), focal) * values[$1]
        }
    } / Double(targets.count)
  }

  private let oneHot = labels.map { label in (0..<3).map { $0 == label ? 1.0 : 0 } }

  @Test("the classifier's losses are those of the formulas, with smoothing and mixed targets")
  func classification() throws {
    var weighing = ObjectiveConfiguration()
    #expect(abs(try loss(weighing) - expected(oneHot)) < 1e-6)
    weighing.classWeights = .given(["b": 3, "c": 0.5])
    #expect(abs(try loss(weighing) - expected(oneHot, weights: [1, 3, 0.5])) < 1e-6)
    // Two of four images have a: 4/(3·2), the others 4/(3·1).
    weighing.classWeights = .automatic
    let automatic = [2.0 / 3, 4.0 / 3, 4.0 / 3]
    #expect(abs(try loss(weighing) - expected(oneHot, weights: automatic)) < 1e-6)
    weighing.focal = 2
    #expect(abs(try loss(weighing) - expected(oneHot, weights: automatic, focal: 2)) < 1e-6)
    var mixing = MixingConfiguration()
    mixing.labelSmoothing = 0.3
    let smooth = oneHot.map { row in row.map { $0 * 0.7 + 0.1 } }
    #expect(
      abs(try loss(weighing, mixing: mixing) - expected(smooth, weights: automatic, focal: 2))
        < 1e-6)
    // A sampler that balances already leaves nothing to weigh.
    weighing.focal = 0
    let shares = SampleShares(
      balancing: Data(targets: Self.labels.map { .label($0) }), strength: 1)
    #expect(abs(try loss(weighing, shares: shares) - expected(oneHot)) < 1e-6)
    mixing.labelSmoothing = 0
    mixing.mixup = 8
    let plain = try loss(ObjectiveConfiguration(), mixing: mixing)
    weighing.classWeights = .given(["a": 1])
    #expect(abs(try loss(weighing, mixing: mixing) - plain) < 1e-6, "weights of 1 change nothing")
    #expect(abs(plain - expected(oneHot)) > 1e-3, "the batch was mixed")
  }

  @Test("the losses of several labels are those of the formulas")
  func several() throws {
    let targets: [Target] = [.labels([0]), .labels([0, 2]), .labels([]), .labels([1])]
    let truths = [1.0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0]
    func expected(_ weights: [Double], _ focal: Double, positive: [Double] = [1, 1, 1]) -> Double {
      zip(Self.logits, truths).enumerated().reduce(0) { sum, entry in
        let (logit, truth) = entry.element
        let share = 1 / (1 + exp(-logit))
        let place = entry.offset % 3
        return sum
          - weights[place]
          * (positive[place] * truth * pow(1 - share, focal) * log(share)
            + (1 - truth) * pow(share, focal) * log(1 - share))
      } / 12
    }
    var weighing = ObjectiveConfiguration()
    var task = MultiLabel()
    weighing.classWeights = .given(["c": 4])
    #expect(abs(try loss(weighing, task: task, targets: targets) - expected([1, 1, 4], 0)) < 1e-6)
    weighing.focal = 1.5
    #expect(
      abs(try loss(weighing, task: task, targets: targets) - expected([1, 1, 4], 1.5)) < 1e-5)
    task.positiveWeights = .given([2, 3, 1])
    weighing.classWeights = .none
    #expect(
      abs(
        try loss(weighing, task: task, targets: targets)
          - expected([1, 1, 1], 1.5, positive: [2, 3, 1])) < 1e-5)
    task.loss = .squaredError
    let error = #expect(throws: ConfigurationError.self) {
      try loss(weighing, task: task, targets: targets)
    }
    #expect(error?.setting == "objective.focal")
  }

  @Test("weights of classes are read as a word or a map, and names are checked")
  func reading() throws {
    func read(_ text: String) throws -> TrainingConfiguration {
      try ConfigurationTree(yaml: text, source: .file("test")).decode(TrainingConfiguration.self)
    }
    #expect(try read("objective: {classWeights: auto}").objective.classWeights == .automatic)
    let map = try read("objective: {classWeights: {a: 2, b: 0.5}, focal: 2}")
    #expect(map.objective.classWeights == .given(["a": 2, "b": 0.5]))
    let again = try read(ConfigurationText.yaml(map))
    #expect(again == map)
    #expect(throws: (any Error).self) { try read("objective: {classWeights: inverse}") }
    #expect(throws: (any Error).self) { try read("objective: {classWeights: [1, 2]}") }
    var bad = ObjectiveConfiguration()
    bad.classWeights = .given(["d": 2])
    let error = #expect(throws: ConfigurationError.self) { try loss(bad) }
    #expect(error?.description.contains("the data has no such class") == true)
    bad.classWeights = .given(["a": -1])
    #expect(throws: ConfigurationError.self) { try bad.validate() }
    bad.classWeights = .given(["a": 0, "b": 0, "c": 0])
    #expect(throws: ConfigurationError.self) { try loss(bad) }
  }

  @Test("a run with a balanced sampler, weights and focal loss goes on exactly")
  func resume() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func run(_ name: String, stopAfter step: Int? = nil) throws -> String {
      var configuration = TestRun.configuration(folder)
      configuration.epochs = 2
      configuration.data.sampler = .balanced
      configuration.data.samplerStrength = 0.7
      configuration.objective.classWeights = .automatic
      configuration.objective.focal = 1
      configuration.output.name = name
      let stop = StopSignal()
      let trainer = try Trainer(
        configuration, network: TestRun.network(),
        observers: step.map { [AfterStep($0) { stop.request() }] } ?? [])
      trainer.stop = stop
      try trainer.run()
      return trainer.folder.path
    }
    let expected = try TestRun.bits(of: run("whole"))
    let stopped = try run("stopped", stopAfter: 7)
    let second = try Trainer(resuming: stopped)
    second.stop = StopSignal()
    try second.run()
    #expect(try TestRun.bits(of: stopped) == expected)
  }
}
