// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTensor
import MUXTraining
import Testing

@Suite("Activation checkpointing") struct CheckpointingTests {
  /// Gradients, running statistics and outputs of one step.
  private struct Step: Equatable {
    var outputs: [[Float]]
    var gradients: [String: [Float]]
    var statistics: [String: [Float]]
    var generator: [UInt8]
  }

  private func step(
    _ network: Network, size: Int, checkpoints: Bool, fuses: Bool = true, frozen: Set<String> = [],
    autocast: DType? = nil
  ) throws -> Step {
    let model = try NetworkModel(network, seed: 3, fusesOperations: fuses)
    model.isTraining = true
    model.checkpointsActivations = checkpoints
    try model.freeze(frozen, resting: .frozen)
    try model.generator.reseed(5)
    let images = try TorchGenerator(seed: 9).normal([4, network.inputChannels, size, size])
    var outputs: [[Float]] = []
    // Twice, so that gradients add up and statistics move on.
    for _ in 0..<2 {
      let given = try withAutocast(.cpu, autocast) { try model.outputs(images) }
      var loss: Tensor?
      for output in given {
        outputs.append(try output.detach().to(.float32).contiguous().floats())
        let part = try output.to(.float32).squared().mean()
        loss = try loss.map { try $0 + part } ?? part
      }
      try #require(loss).backward()
      try model.finishBackward(autocast: autocast)
    }
    func values(_ tensors: [NamedTensor]) throws -> [String: [Float]] {
      try Dictionary(
        uniqueKeysWithValues: tensors.map {
          ($0.name, try $0.tensor.detach().to(.float32).contiguous().floats())
        })
    }
    let gradients = try model.parameters.compactMap { entry in
      try entry.tensor.grad().map { NamedTensor(name: entry.name, tensor: $0) }
    }
    return Step(
      outputs: outputs, gradients: try values(gradients), statistics: try values(model.buffers),
      generator: try model.generator.state())
  }

  private func check(
    _ network: Network, size: Int, fuses: Bool = true, frozen: Set<String> = [],
    autocast: DType? = nil, tolerance: Float = 0
  ) throws {
    let plain = try step(
      network, size: size, checkpoints: false, fuses: fuses, frozen: frozen, autocast: autocast)
    let saved = try step(
      network, size: size, checkpoints: true, fuses: fuses, frozen: frozen, autocast: autocast)
    #expect(!plain.gradients.isEmpty && Set(plain.gradients.keys) == Set(saved.gradients.keys))
    if tolerance == 0 {
      #expect(plain == saved)
      return
    }
    #expect(plain.outputs == saved.outputs && plain.statistics == saved.statistics)
    #expect(plain.generator == saved.generator)
    // Gradients that cancel out are as exact as those that they are made of.
    let largest = plain.gradients.values.joined().reduce(0) { max($0, abs($1)) }
    for (name, values) in plain.gradients {
      for (a, b) in zip(values, saved.gradients[name] ?? []) {
        #expect(abs(a - b) <= tolerance * largest, "\(name): \(a), \(b) of \(largest)")
      }
    }
  }

  @Test("the gradients, statistics and random numbers are the same bit for bit")
  func exact() throws {
    try check(TestRun.network(), size: 8)
    try check(
      ModelZoo.network(named: "mobilenetv2_100", options: ModelOptions(classes: 3)), size: 64)
  }

  @Test("node by node sums come in another order, and nothing else is different")
  func nodeByNode() throws {
    try check(TestRun.network(), size: 8, fuses: false, tolerance: 4e-6)
  }

  @Test("also where layers at the front rest, and in mixed precision")
  func restingLayers() throws {
    let network = try TestRun.network()
    let front = Set(
      network.parameters.map(\.name).filter { name in
        ["conv_stem", "bn1", "blocks.0"].contains { name.hasPrefix("\($0).") }
      })
    #expect(!front.isEmpty)
    try check(network, size: 8, frozen: front)
    try check(network, size: 8, autocast: .bfloat16)
  }

  @Test("networks whose blocks are read from several places: detectors, dense ones, cells")
  func branched() throws {
    try check(
      ModelZoo.network(
        named: "ssdlite_muxnet_m", options: ModelOptions(classes: 3, inputSize: ImageSize(96))),
      size: 96, tolerance: 4e-6)
    try check(
      ModelZoo.network(named: "densenet121", options: ModelOptions(classes: 3)), size: 32,
      tolerance: 4e-6)
  }

  @Test("a whole run ends as one without, bit for bit")
  func run() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var settings = TestRun.configuration(folder)
    settings.model.checkpointsActivations = true
    let trainer = try Trainer(settings, network: TestRun.network())
    trainer.stop = StopSignal()
    try trainer.run()
    try ResumeTests.expectSameAsUnbroken(trainer.folder.path)
  }
}
