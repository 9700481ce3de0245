// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite("Statistics of batch norms, measured anew")
struct StatisticsTests {
  private func model(channels: Int, size: Int) throws -> NetworkModel {
    var builder = NetworkBuilder(name: "norm", inputChannels: channels, inputSize: ImageSize(size))
    _ = builder.batchNormalization(builder.input, "bn")
    return try NetworkModel(builder.build(), seed: 1)
  }

  @Test(
    "batches of unequal size give the averages of Once-for-All",
    .enabled(if: Shared.has("reference/tasks"), Comment(rawValue: Shared.absent)))
  func golden() throws {
    let golden = try Safetensors.read(
      Shared.path("reference/tasks/batch_norm_recalibration.safetensors"))
    let batches = try (0..<3).map { index in
      let tensor = try #require(golden["batch.\(index)"])
      return try Tensor(tensor.floats, shape: tensor.shape)
    }
    let model = try model(channels: batches[0].size(1), size: batches[0].size(2))
    try model.remeasureStatistics(over: batches)
    for (name, wanted) in [("running_mean", "mean"), ("running_var", "variance")] {
      let actual = try #require(model.tensor(named: "bn.\(name)")).floats()
      let expected = try #require(golden[wanted]).floats
      #expect(actual.count == expected.count)
      for (a, b) in zip(actual, expected) { #expect(abs(a - b) < 1e-5, "\(name): \(a), not \(b)") }
    }
    let pooled = try #require(golden["pooled_variance"]).floats
    let measured = try #require(model.tensor(named: "bn.running_var")).floats()
    #expect(zip(measured, pooled).contains { $1 - $0 > 1e-3 }, "not that of all batches together")
  }

  @Test("nothing else changes, and the same batches give the same statistics")
  func repeatable() throws {
    let network = try TestRun.network(drops: false)
    let model = try NetworkModel(network, seed: 4)
    let batches = try [5, 3].map { try TorchGenerator(seed: UInt64($0)).normal([$0, 1, 8, 8]) }
    let before = try model.archive()
    try model.remeasureStatistics(over: batches)
    let first = try model.archive()
    try model.remeasureStatistics(over: batches)
    let second = try model.archive()
    for name in first.names {
      let isStatistic = name.hasSuffix("running_mean") || name.hasSuffix("running_var")
      #expect((first[name]?.bytes.array == before[name]?.bytes.array) == !isStatistic, "\(name)")
      #expect(first[name]?.bytes.array == second[name]?.bytes.array, "\(name)")
    }
    #expect(!model.isTraining)
    let none = try model.archive()
    try model.remeasureStatistics(over: [])
    #expect(try model.archive().names == none.names)
  }
}
