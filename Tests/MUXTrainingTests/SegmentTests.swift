// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXNetworks
import MUXTensor
import MUXTraining
import Testing

@Suite struct SegmentTests {
  /// conv → bn → act, then the sum with conv.
  func network() throws -> Network {
    try smallNetwork("segments", inputChannels: 2, side: 4) { builder, x in
      let conv = builder.convolution(x, "conv", outputChannels: 2)
      let norm = builder.batchNormalization(conv, "bn")
      let act = builder.activation(norm, "act", .relu)
      _ = builder.sum(act, conv, "sum")
    }
  }

  /// Computes bn and act in its own way, or declines.
  final class Fused: SegmentExecutor {
    let nodes: Range<Int>
    let tensors: [Tensor]
    var declines = false
    var calls = 0

    init(_ model: NetworkModel, nodes: Range<Int>) {
      self.nodes = nodes
      tensors = model.tensors(ofNode: 1)
    }

    func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
      calls += 1
      if declines { return nil }
      return try inputs[0].batchNorm(
        weight: tensors[0], bias: tensors[1], runningMean: tensors[2], runningVariance: tensors[3],
        training: training
      ).clamped(low: 0)
    }
  }

  @Test("an installed segment runs in place of its nodes, with their results and counters")
  func installed() throws {
    let model = try NetworkModel(network(), seed: 1)
    let x = try TorchGenerator(seed: 2).normal([2, 2, 4, 4])
    model.isTraining = true
    let expected = try model.forward(x)
    let fused = Fused(model, nodes: 1..<3)
    #expect(model.inputs(ofSegment: 1..<3) == [0])
    try model.install(fused)
    #expect(try relativeDifference(model.forward(x), expected) < 1e-6)
    #expect(fused.calls == 1)
    #expect(try #require(model.tensor(named: "bn.num_batches_tracked")).item() == 2)
    // A value inside is asked for: the nodes run by themselves.
    let layers = try model.forward(x, capturing: ["bn"]).layers
    #expect(fused.calls == 1 && layers["bn"] != nil)
    _ = try model.forward(x, capturing: ["act"])
    #expect(fused.calls == 2)
    fused.declines = true
    #expect(try relativeDifference(model.forward(x), expected) < 1e-6)
    #expect(fused.calls == 3)
    #expect(try #require(model.tensor(named: "bn.num_batches_tracked")).item() == 5)
    model.removeSegments()
    _ = try model.forward(x)
    #expect(fused.calls == 3)
  }

  @Test("segments whose inner values are read outside, or that are not in the network, are refused")
  func refused() throws {
    let model = try NetworkModel(network(), seed: 1)
    for nodes in [0..<2, 0..<3, 3..<9, 2..<2] {
      let segment = Fused(model, nodes: nodes)
      #expect(throws: ExecutionError.self, "\(nodes)") { try model.install(segment) }
    }
    try model.install(Fused(model, nodes: 0..<4))
  }

  @Test("A segment takes the place of all that it overlaps with, and of no other")
  func overlapping() throws {
    let network = try smallNetwork("row", inputChannels: 2, side: 4) { builder, x in
      var x = builder.convolution(x, "conv", outputChannels: 2)
      for index in 0..<9 { x = builder.activation(x, "act\(index)", .relu) }
    }
    let model = try NetworkModel(network, seed: 1)
    let x = try TorchGenerator(seed: 2).normal([1, 2, 4, 4])
    func calls(_ all: [Passing]) throws -> [Int] {
      let before = all.map(\.calls)
      _ = try model.forward(x)
      return zip(all, before).map { $0.calls - $1 }
    }
    let all = [1..<4, 4..<6, 6..<9, 3..<7, 9..<10, 2..<4].map { Passing($0) }
    for index in 0..<3 { try model.install(all[index]) }
    #expect(try calls(all) == [1, 1, 1, 0, 0, 0])
    try model.install(all[3])
    try model.install(all[4])
    #expect(try calls(all) == [0, 0, 0, 1, 1, 0])
    try model.install(all[5])
    #expect(try calls(all) == [0, 0, 0, 0, 1, 1])
    // What was driven out can come back.
    try model.install(all[1])
    #expect(try calls(all) == [0, 1, 0, 0, 1, 1])
    model.removeSegments()
    #expect(try calls(all) == [0, 0, 0, 0, 0, 0])
    try model.install(all[3])
    #expect(try calls(all) == [0, 0, 0, 1, 0, 0])
  }

  /// Activations that do nothing.
  final class Passing: SegmentExecutor {
    let nodes: Range<Int>
    var calls = 0

    init(_ nodes: Range<Int>) { self.nodes = nodes }

    func forward(_ inputs: [Tensor], training: Bool) throws -> Tensor? {
      calls += 1
      return inputs[0]
    }
  }
}
