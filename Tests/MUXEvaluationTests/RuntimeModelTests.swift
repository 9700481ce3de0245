// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXVision
import MUXWeights
import Testing

@Suite("Classifying with the runtime")
struct RuntimeModelTests {
  private func network(_ classes: Int = 4) throws -> Network {
    try ModelZoo.architecture(named: "muxnet_xs")
      .applying(ModelOptions(classes: classes, inputSize: ImageSize(32), outputStride: 8))
      .network()
  }

  private func batch(_ layout: MemoryLayout4D, size: Int = 32, count: Int = 3) -> PixelBatch {
    func value(_ n: Int, _ c: Int, _ p: Int) -> Float {
      Float((n * 7919 + c * 104_729 + p * 31) % 1000) / 500 - 1
    }
    let plane = size * size
    var values: [Float] = []
    for n in 0..<count {
      switch layout {
      case .channelsFirst:
        for c in 0..<3 { values += (0..<plane).map { value(n, c, $0) } }
      case .channelsLast:
        for p in 0..<plane { values += (0..<3).map { value(n, $0, p) } }
      }
    }
    return PixelBatch(
      count: count, channels: 3, height: size, width: size, layout: layout, values: values)
  }

  @Test("Either layout of a batch gives the same outputs, whatever the number of threads")
  func layouts() throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 1)
    let one = try RuntimeModel(network, weights: weights, threads: 1)
    let expected = try one.outputs(batch(.channelsFirst))
    #expect(expected.map(\.shape) == [[3, 4]])
    #expect(Set(expected[0].values).count > 6)
    #expect(try one.outputs(batch(.channelsLast)) == expected)
    let two = try RuntimeModel(network, weights: weights, threads: 2)
    #expect(try two.outputs(batch(.channelsLast)) == expected)
    let first = try two.outputs(batch(.channelsFirst, count: 1))
    #expect(first[0].values == Array(expected[0].values[..<4]))
  }

  @Test("Images of another size get a plan of their own; too small ones are an error")
  func sizes() throws {
    let network = try network()
    let model = try RuntimeModel(
      network, weights: RandomWeights.archive(network, seed: 1), threads: 1)
    let small = try model.outputs(batch(.channelsFirst))
    let large = try model.outputs(batch(.channelsFirst, size: 48))
    #expect(small != large)
    #expect(try model.outputs(batch(.channelsFirst)) == small)
  }

  @Test("Predictions are the softmax of the outputs, in order")
  func predictions() throws {
    let network = try network()
    let model = try RuntimeModel(
      network, weights: RandomWeights.archive(network, seed: 2), threads: 1)
    let pipeline = ImagePipeline(mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    let head = ClassificationHead(network: network.name, classNames: ["a", "b", "c", "d"])
    let image = Image(width: 32, height: 32, color: [20, 120, 220])
    let prediction = try #require(
      try Predictor(model, pipeline: pipeline, head: head).predict(image) as? Prediction)
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    let values = try pipeline.values(of: image, random: &random).values
    let outputs = try model.outputs(
      PixelBatch(count: 1, channels: 3, height: 32, width: 32, values: values))[0].values
    let sum = outputs.reduce(0) { $0 + exp(Double($1)) }
    #expect(prediction.guesses.count == 4)
    for guess in prediction.guesses {
      #expect(abs(guess.probability - exp(Double(outputs[guess.index])) / sum) < 1e-5)
    }
    let shares = prediction.guesses.map(\.probability)
    #expect(shares == shares.sorted(by: >))
  }

  @Test("Weights of another network and zero threads are errors that say what to do")
  func errors() throws {
    let network = try network()
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("weights-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Safetensors.write(RandomWeights.archive(try self.network(5), seed: 1), to: folder)
    let error = #expect(throws: WeightsMismatchError.self) {
      _ = try TrainedWeights(path: folder, network: network).runtimeModel()
    }
    let mismatched = error?.report.mismatched.map(\.name)
    #expect(mismatched == ["classifier.weight", "classifier.bias"])
    #expect(error?.description.contains(folder) == true)
    #expect(
      throws: TaskError.outputCount(
        task: "classification", network: "muxnet_xs", outputs: 4, classes: 2, expected: 2)
    ) {
      _ = try TrainedWeights(path: folder, network: network, classNames: ["a", "b"])
    }
    #expect(throws: RuntimeError.threads(0)) {
      try RuntimeModel(
        network, weights: RandomWeights.archive(network, seed: 1), threads: 0)
    }
  }

  @Test("An evaluation counts what the outputs say, and its loss is their cross entropy")
  func evaluation() throws {
    let network = try Network.digits()
    let model = try RuntimeModel(
      network, weights: RandomWeights.archive(network, seed: 3), threads: 1)
    let pipeline = ImagePipeline(
      transforms: [], channels: 1, mean: [0.3], standardDeviation: [0.4])
    let data = try DigitsDataSet().split(fractions: [0.02, 0.98], seed: 1)[0]
    let result = try Evaluator().evaluate(
      model, task: Classification(), pipeline: pipeline, on: data, batchSize: 7)
    var correct = 0
    var loss = 0.0
    for index in 0..<data.count {
      var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
      let sample = try data.sample(at: index)
      let (size, values) = try pipeline.values(of: sample.image, random: &random)
      let shares = Softmax.probabilities(
        try model.outputs(
          PixelBatch(
            count: 1, channels: 1, height: size.height, width: size.width, values: values)
        )[0].values)
      let label = sample.target.classes[0]
      if shares.indices.max(by: { shares[$0] < shares[$1] }) == label { correct += 1 }
      loss -= log(Double(shares[label]))
    }
    #expect(result.scores.count == data.count)
    #expect(abs((result.scores["top1"] ?? -1) - Double(correct) / Double(data.count)) < 1e-9)
    #expect(abs((result.scores["loss"] ?? -1) - loss / Double(data.count)) < 1e-4)
  }

  @Test("A network cut at a layer computes that layer's value")
  func cut() throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 5)
    let cut = try network.cut(atLayer: "blocks.2.0")
    #expect(cut.nodes.count < network.nodes.count)
    #expect(cut.blocks.last?.name == "blocks.2.0")
    #expect(cut.nodes.last == network.nodes[try network.index(ofLayer: "blocks.2.0")])
    #expect(!cut.hasFlatOutput && network.hasFlatOutput)
    #expect(try network.cut(atLayer: network.nodes[network.nodes.count - 1].name) == network)
    #expect(throws: NetworkError.self) { try network.cut(atLayer: "blocks.77") }
    #expect(weights.count == network.parameters.count)
  }
}
