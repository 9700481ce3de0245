// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXNetworks
import MUXTensor
import MUXTraining
import MUXWeights
import Testing

@Suite struct WeightLoadingTests {
  func model(classes: Int = 4, seed: UInt64 = 1) throws -> NetworkModel {
    let network = try smallNetwork("small", inputChannels: 3, side: 8) { builder, x in
      var x = builder.convolution(x, "conv", outputChannels: 6, kernelSize: 3)
      x = builder.batchNormalization(x, "bn")
      _ = builder.classify(x, classes: classes)
    }
    return try NetworkModel(network, seed: seed)
  }

  func values(_ model: NetworkModel, _ name: String) throws -> [Float] {
    try #require(model.tensor(named: name)).detach().floats()
  }

  @Test("weights written by one model make another the same, also through a data-parallel prefix")
  func roundTrip() throws {
    let source = try model()
    source.isTraining = true
    _ = try source.forward(TorchGenerator(seed: 1).normal([4, 3, 8, 8]))
    let archive = try source.archive()
    #expect(archive.names == source.specifications.map(\.name))
    for archive in [archive, archive.renamed { "module.\($0)" }] {
      let target = try model(seed: 2)
      #expect(try target.load(archive).isComplete)
      for (a, b) in zip(source.namedState, target.namedState) {
        #expect(try a.tensor.isIdentical(to: b.tensor), "\(a.name)")
      }
    }
  }

  @Test("the older names of torchvision's DenseNets are understood, both at once are not")
  func olderNames() throws {
    let network = try smallNetwork("dense", inputChannels: 3, side: 8) { builder, x in
      var x = builder.batchNormalization(x, "features.denseblock1.denselayer12.norm1")
      x = builder.convolution(
        x, "features.denseblock1.denselayer12.conv2", outputChannels: 6, kernelSize: 3)
      _ = builder.classify(x, classes: 2)
    }
    let source = try NetworkModel(network, seed: 1).archive()
    var older = source.renamed {
      $0.replacing("norm1.", with: "norm.1.").replacing("conv2.", with: "conv.2.")
    }
    #expect(older["features.denseblock1.denselayer12.norm.1.weight"] != nil)
    let target = try NetworkModel(network, seed: 2)
    #expect(try target.load(older).isComplete)
    #expect(try target.load(older.renamed { "module.\($0)" }).isComplete)
    older["features.denseblock1.denselayer12.norm1.weight"] = ArchivedTensor([1, 1, 1], shape: [3])
    #expect(throws: WeightsMismatchError.self) { try target.load(older) }
  }

  @Test("other element types are converted, missing batch counters are no fault")
  func conversion() throws {
    let source = try model()
    var archive = try source.archive()
    archive["bn.num_batches_tracked"] = nil
    for name in archive.names { archive[name] = archive[name]?.converted(to: .float64) }
    let target = try model(seed: 2)
    #expect(try target.load(archive).isComplete)
    #expect(try values(target, "conv.weight") == values(source, "conv.weight"))
  }

  @Test("an exact load names what does not fit, and changes nothing")
  func strictness() throws {
    var archive = try model(classes: 7).archive()
    archive["bn.bias"] = nil
    archive["extra.weight"] = ArchivedTensor([1], shape: [1])
    let target = try model(seed: 2)
    let before = try values(target, "conv.weight")
    for tolerance in [LoadTolerance.exact, .newHead] {
      do {
        try target.load(archive, from: "weights.safetensors", allowing: tolerance)
        Issue.record("a load that does not fit succeeded")
      } catch let error as WeightsMismatchError {
        #expect(error.report.missing == ["bn.bias"])
        #expect(error.report.unexpected == ["extra.weight"])
        #expect(
          error.report.mismatched == [
            .init(name: "classifier.weight", expected: [4, 6], actual: [7, 6]),
            .init(name: "classifier.bias", expected: [4], actual: [7]),
          ])
        #expect(error.description.hasPrefix("weights.safetensors do not fit network 'small'"))
      }
    }
    #expect(try values(target, "conv.weight") == before)
    let report = try target.load(archive, allowing: .partial)
    #expect(report.loaded.count == 5 && !report.isComplete)
    #expect(try values(target, "conv.weight") != before)
    #expect(throws: WeightsMismatchError.self) {
      try target.load(TensorArchive(), allowing: .partial)
    }
  }

  @Test("a new head keeps its fresh weights and takes all others")
  func newHead() throws {
    let source = try model(classes: 7)
    let target = try model(seed: 2)
    let head = try values(target, "classifier.weight")
    #expect(throws: WeightsMismatchError.self) { try target.load(source.archive()) }
    let report = try target.load(source.archive(), allowing: .newHead)
    #expect(report.mismatched.map(\.name) == ["classifier.weight", "classifier.bias"])
    #expect(try values(target, "classifier.weight") == head)
    #expect(try values(target, "conv.weight") == values(source, "conv.weight"))
  }
}
