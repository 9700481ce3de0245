// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTraining
import MUXWeights
import Testing

@Suite struct FreezingTests {
  private func run(
    _ folder: String, _ change: (inout TrainingConfiguration) -> Void,
    observers: [any TrainingObserver] = [], stop: StopSignal = StopSignal()
  ) throws -> Trainer {
    var configuration = TestRun.configuration(folder)
    change(&configuration)
    let trainer = try Trainer(configuration, network: TestRun.network(), observers: observers)
    trainer.stop = stop
    try trainer.run()
    return trainer
  }

  private func state(_ model: NetworkModel) throws -> [String: [Float]] {
    try Dictionary(
      uniqueKeysWithValues: model.namedState.map { entry in
        (entry.name, try entry.tensor.detach().to(.float32).floats())
      })
  }

  private let body = ["conv_stem", "bn1", "blocks"]

  @Test("what is frozen stays bit for bit, in weights, statistics and averages, without gradients")
  func frozen() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = EventLog()
    let before = try state(NetworkModel(TestRun.network(), seed: 7))
    let trainer = try run(folder, { $0.model.freeze = body }, observers: [log])
    let names = trainer.model.frozenNames
    #expect(names.contains("blocks.0.0.bn1.bias") && !names.contains("conv_head.weight"))
    for (model, what) in [
      (trainer.model, "weights"), (try #require(trainer.averagedModel), "average"),
    ] {
      let after = try state(model)
      for (name, values) in before {
        let rests = body.contains { name.hasPrefix("\($0).") }
        let isCounter = name.hasSuffix("num_batches_tracked")
        #expect((values == after[name]) == rests || isCounter && !rests, "\(what): \(name)")
      }
    }
    for entry in trainer.model.parameters where names.contains(entry.name) {
      #expect(try entry.tensor.grad() == nil, "\(entry.name)")
    }
    let buffers = try TestRun.bits(of: trainer.folder.path).keys.filter {
      $0.hasPrefix("optimizer/")
    }
    #expect(!buffers.isEmpty && !buffers.contains { $0.contains("blocks.") })
    #expect(
      log.notices.contains { $0.contains("parameters are trained") && $0.contains("statistics") },
      "\(log.notices)")
  }

  @Test("statistics of frozen layers follow the batches where that is asked for")
  func statistics() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let before = try state(NetworkModel(TestRun.network(), seed: 7))
    let trainer = try run(folder) {
      $0.model.freeze = body
      $0.model.freezesStatistics = false
      $0.epochs = 1
      $0.schedule.warmUp.epochs = 0
    }
    let after = try state(trainer.model)
    #expect(before["bn1.weight"] == after["bn1.weight"])
    #expect(before["bn1.running_mean"] != after["bn1.running_mean"])
  }

  @Test(
    "a run that thaws its layers goes on exactly, stopped before, at and after that",
    arguments: [OptimizerConfiguration.Kind.adamW, .sgd])
  func thaws(kind: OptimizerConfiguration.Kind) throws {
    func change(_ value: inout TrainingConfiguration) {
      value.model.freeze = body
      value.model.freezeEpochs = 1
      value.optimizer.kind = kind
      value.optimizer.dampening = 0.1
      value.optimizer.learningRate = 0.01
      value.optimizer.learningRateScale = [.init("classifier", 2), .init("*.bias", 0.5)]
      value.optimizer.layerDecay = 0.8
    }
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let log = EventLog()
    let unbroken = try run(folder, change, observers: [log])
    #expect(log.notices.contains("epoch 2: all parameters are trained from now on"))
    let before = try state(NetworkModel(TestRun.network(), seed: 7))
    #expect(try state(unbroken.model)["conv_stem.weight"] != before["conv_stem.weight"])
    let expected = try TestRun.bits(of: unbroken.folder.path)
    for step in [3, 6, 7] {
      let stop = StopSignal()
      let first = try run(
        folder,
        {
          change(&$0); $0.output.name = "stopped-\(step)"
        },
        observers: [AfterStep(step) { stop.request() }], stop: stop)
      let second = try Trainer(resuming: first.folder.path)
      second.stop = StopSignal()
      try second.run()
      let actual = try TestRun.bits(of: first.folder.path)
      #expect(actual.count == expected.count && actual == expected, "after step \(step)")
    }
  }

  @Test(
    "fused blocks behind frozen ones give the gradients of the reference",
    arguments: [RestingNorms.none, .frozen, .all])
  func gradients(resting: RestingNorms) throws {
    let network = try TestRun.network(drops: false)
    for frozen in [["conv_stem", "bn1", "blocks.0"], ["blocks.1.0"], ["blocks.0.0.bn2"], []] {
      let patterns = frozen.map { NamePattern($0) }
      let (fused, reference) = try FusedTests.pair(network)
      let names = Set(
        network.parameters.map(\.name).filter { name in patterns.contains { $0.matches(name) } })
      let images = try TorchGenerator(seed: 5).normal([6, 1, 8, 8])
      let direction = try TorchGenerator(seed: 6).normal([6, 10])
      for model in [fused, reference] {
        try model.freeze(names, resting: resting)
        model.isTraining = true
      }
      let output = try fused.forward(images)
      let expected = try reference.forward(images.to(.float64))
      #expect(try relativeDifference(output, expected) < 1e-4, "\(frozen)")
      try output.backward(direction)
      try expected.backward(direction.to(.float64))
      for (own, other) in zip(fused.parameters, reference.parameters) {
        let (gradient, wanted) = (try own.tensor.grad(), try other.tensor.grad())
        #expect((gradient == nil) == names.contains(own.name), "\(own.name)")
        guard let gradient, let wanted else { continue }
        let difference = try (gradient.to(.float64) - wanted).absolute().max().item()
        let scale = max(try wanted.absolute().max().item(), 1e-2)
        #expect(difference <= 1e-4 * scale, "\(own.name): \(difference) of \(scale)")
      }
    }
  }

  @Test("the head is one block deep, each block one more, on the longest way")
  func depths() throws {
    let network = try TestRun.network()
    let depths = network.layerDepths
    func depth(_ name: String) throws -> Int {
      depths[try #require(network.index(ofNode: name))]
    }
    #expect(try depth("classifier") == 1 && depth("conv_head") == 2)
    #expect(try depth("blocks.1.1.conv_dw") == 3 && depth("blocks.1.0.conv_pw") == 4)
    #expect(try depth("blocks.0.0.bn2") == 5 && depth("conv_stem") == 6 && depth("bn1") == 6)
  }

  @Test("a rate of its own is that rate: twice the factor of SGD moves twice as far")
  func rates() throws {
    var settings = OptimizerConfiguration()
    settings.momentum = 0
    let start: [Float] = [1, -2, 3]
    let tensors = try (0..<3).map { index in
      NamedTensor(name: "p\(index)", tensor: try Tensor(start, shape: [3]).setRequiresGrad())
    }
    let optimizer = try settings.makeOptimizer(
      tensors, rates: ParameterRates(factors: ["p1": 2, "p2": 0]))
    for entry in tensors { try entry.tensor.setGrad(Tensor([1, 1, 1] as [Float], shape: [3])) }
    try optimizer.step(learningRate: 0.25)
    let values = try tensors.map { try $0.tensor.detach().floats() }
    #expect(values == [[0.75, -2.25, 2.75], [0.5, -2.5, 2.5], start])
  }

  @Test("patterns that match nothing, and freezing all, are one clear line")
  func refusals() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func error(_ change: (inout TrainingConfiguration) -> Void) -> String {
      do { return "\(try run(folder, change).folder.path)" } catch { return "\(error)" }
    }
    #expect(
      error { $0.model.freeze = ["conv_sten"] }
        == "model.freeze is conv_sten: no parameter of tiny_mux has such a name; near to it are"
        + " conv_stem, conv_head")
    #expect(
      error { $0.model.freeze = ["blocks", "*"] }.contains("nothing would be trained"))
    #expect(
      error { $0.optimizer.learningRateScale = [.init("*", 0)] }.contains(
        "nothing would be trained"))
    #expect(
      error { $0.optimizer.learningRateScale = [.init("heads", 2)] }
        .hasPrefix("optimizer.learningRateScale[0].parameters is heads: no parameter"))
    #expect(
      error { $0.model.freezeEpochs = 1 }.contains("model.freeze rest, but that is empty"))
    #expect(
      error {
        $0.model.freeze = ["blocks"]
        $0.model.freezeEpochs = 3
      }.hasPrefix("model.freezeEpochs is 3: must be less than the run's 3 epochs"))
    #expect(error { $0.optimizer.layerDecay = 0 }.hasPrefix("optimizer.layerDecay is 0"))
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
  }

  @Test("a head starts from how often the classes occur, unless the weights bring their own")
  func prior() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = TestRun.configuration(folder)
    configuration.model.headBias = .prior
    let trainer = try Trainer(configuration, network: TestRun.network())
    let bias = try #require(trainer.model.tensor(named: "classifier.bias")).detach().floats()
    let counts = try configuration.data.open(.training).classCounts.map { Double($0 + 1) }
    for (value, count) in zip(bias, counts) {
      #expect(abs(Double(value) - log(count / counts.reduce(0, +))) < 1e-6)
    }
    let path = "\(folder)/start.safetensors"
    try Safetensors.write(
      NetworkModel(TestRun.network(), seed: 1).archive(), to: path)
    configuration.model.initialWeights = path
    configuration.output.name = "second"
    let second = try Trainer(configuration, network: TestRun.network())
    #expect(
      try #require(second.model.tensor(named: "classifier.bias")).detach().floats()
        == [Float](repeating: 0, count: 10))
    // A head of other classes starts anew, and the tensors are named.
    try Safetensors.write(
      NetworkModel(TestRun.network(classes: 7), seed: 1).archive(), to: path)
    configuration.model.replacesHead = true
    configuration.output.name = "third"
    configuration.epochs = 1
    configuration.schedule.warmUp.epochs = 0
    let log = EventLog()
    let third = try Trainer(configuration, network: TestRun.network(), observers: [log])
    #expect(
      try #require(third.model.tensor(named: "classifier.bias")).detach().floats() == bias)
    third.stop = StopSignal()
    third.stop.request()
    try third.run()
    #expect(
      log.notices.contains { $0.hasSuffix("; classifier.weight, classifier.bias start anew") },
      "\(log.notices)")
  }

  @Test("a new head on trained features begins with the loss of guessing, by whatever rule")
  func newHead() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = try TestRun.network()
    // By this rule a head of few classes is drawn with large weights.
    #expect(network.initialization == .google)
    let source = try NetworkModel(TestRun.network(classes: 7), seed: 1)
    let path = "\(folder)/start.safetensors"
    try Safetensors.write(source.archive(), to: path)
    var configuration = TestRun.configuration(folder)
    configuration.model.initialWeights = path
    configuration.model.replacesHead = true
    let model = try Trainer(configuration, network: network).model
    let weight = try #require(model.tensor(named: "classifier.weight")).detach().floats()
    let deviation = (weight.reduce(0) { $0 + $1 * $1 } / Float(weight.count)).squareRoot()
    #expect(deviation > 0.008 && deviation < 0.012, "\(deviation)")
    let stem = "conv_stem.weight"
    #expect(
      try #require(model.tensor(named: stem)).isIdentical(to: #require(source.tensor(named: stem))))
  }
}
