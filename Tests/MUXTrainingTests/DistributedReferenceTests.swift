// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTensor
import MUXTensorTestSupport
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

/// What PyTorch's DistributedDataParallel and SyncBatchNorm gave for the same numbers.
@Suite(
  "Several processes as PyTorch trains them", .tags(.waits), .endsSometime,
  .enabled(if: Reference.isPresent, "\(Shared.absent)"))
struct DistributedReferenceTests {
  @Test("Steps of two processes: gradients, weights and running statistics")
  func steps() throws {
    let file = try Reference.archive("tasks/data_parallel_steps.safetensors")
    func setting(_ name: String) throws -> Double {
      try #require(file.metadata[name].flatMap { Double($0) })
    }
    let (steps, ranks) = (Int(try setting("steps")), Int(try setting("ranks")))
    let (rate, momentum) = (try setting("learningRate"), try setting("momentum"))
    let decay = try setting("weightDecay")
    let network = try smallNetwork("two", inputChannels: 3, side: 6) { builder, x in
      var x = builder.convolution(x, "conv", outputChannels: 4, kernelSize: 3, padding: 1)
      x = builder.batchNormalization(x, "norm")
      x = builder.activation(x, "relu", .relu)
      _ = builder.classify(x, "head", classes: 5)
    }
    let worst = try Ranks.all(ranks) { group in
      let model = try NetworkModel(network, seed: UInt64(group.rank))
      if group.isFirst {
        try withoutGradient {
          for entry in model.namedState where !entry.name.hasSuffix("num_batches_tracked") {
            try entry.tensor.copyInPlace(from: file.tensor("start.\(entry.name)"))
          }
        }
      }
      try group.broadcast(model.namedState.map(\.tensor))
      let parameters = model.parameters.map(\.tensor)
      let momenta = try parameters.map { try $0.detach().filled(0) }
      let reducer = try GradientReducer(
        parameters, over: group, buckets: .init(first: 16, others: 64))
      model.isTraining = true
      var worst: [String: Double] = [:]
      for step in 0..<steps {
        try ParameterList.zeroGradients(parameters)
        try group.broadcast(model.buffers.map(\.tensor))
        let labels = try #require(file["\(group.rank).labels.\(step)"])
        let targets = labels.bytes.array.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
        let loss = try model.forward(file.tensor("\(group.rank).input.\(step)"))
          .crossEntropy(Tensor(targets))
        let expected = try file.tensor("\(group.rank).loss.\(step)").item()
        worst["loss", default: 0] = max(worst["loss"] ?? 0, abs(try loss.item() - expected))
        try reducer.start()
        try (loss / Double(ranks)).backward()
        try reducer.finish()
        if step == 0 {
          for parameter in model.parameters {
            let gradient = try #require(try parameter.tensor.grad())
            worst["gradient.\(parameter.name)"] = try relativeDifference(
              gradient, file.tensor("gradient.\(parameter.name)"))
          }
        }
        try ParameterList.stepSGD(
          parameters, momenta: momenta, rate: rate, momentum: momentum, decay: decay,
          first: step == 0)
      }
      for (name, tensor) in model.parameters.map({ ($0.name, $0.tensor) }) {
        worst["final.\(name)"] = try relativeDifference(tensor, file.tensor("final.\(name)"))
      }
      for buffer in model.buffers where buffer.name.contains("running") {
        worst["final.\(buffer.name)"] = try relativeDifference(
          buffer.tensor, file.tensor("\(group.rank).final.\(buffer.name)"))
      }
      return worst
    }
    #expect(worst.count == 2)
    for rank in worst {
      #expect(rank.count > 10)
      for (name, value) in rank { #expect(value < 1e-5, "\(name)") }
    }
  }

  @Test(
    "Synchronised batch norms, of equal and unequal numbers of images",
    arguments: ["equal", "unequal"])
  func norms(name: String) throws {
    let file = try Reference.archive("tasks/sync_batch_norm.safetensors")
    let (epsilon, momentum) = (
      try #require(file.metadata["epsilon"].flatMap { Double($0) }),
      try #require(file.metadata["momentum"].flatMap { Double($0) })
    )
    let results = try Ranks.all(2) { group in
      func expected(_ what: String) throws -> Tensor {
        try file.tensor("\(name).\(group.rank).\(what)")
      }
      let x = try expected("input").setRequiresGrad()
      let weight = try file.tensor("\(name).weight").setRequiresGrad()
      let bias = try file.tensor("\(name).bias").setRequiresGrad()
      let mean = try weight.detach().filled(0)
      let variance = try weight.detach().filled(1)
      return try SynchronizedNorms.with(group) {
        let output = try x.synchronizedBatchNorm(
          weight: weight, bias: bias, runningMean: mean, runningVariance: variance,
          momentum: momentum, epsilon: epsilon)
        try output.backward(expected("output_gradient"))
        return [
          "output": try relativeDifference(output, expected("output")),
          "input gradient": try relativeDifference(
            #require(try x.grad()), expected("input_gradient")),
          "weight gradient": try relativeDifference(
            #require(try weight.grad()), expected("weight_gradient")),
          "bias gradient": try relativeDifference(
            #require(try bias.grad()), expected("bias_gradient")),
          "mean": try relativeDifference(mean, file.tensor("\(name).running_mean")),
          "variance": try relativeDifference(variance, file.tensor("\(name).running_var")),
        ]
      }
    }
    for rank in results { for (what, value) in rank { #expect(value < 1e-5, "\(what)") } }
    #expect(!SynchronizedNorms.isOn)
  }
}
