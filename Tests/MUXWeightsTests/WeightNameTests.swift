// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

@Suite("Names of weights as wrappers leave them")
struct WeightNameTests {
  private let network: Network
  private let weights: TensorArchive

  init() throws {
    network = try Network.digits()
    weights = RandomWeights.archive(network, seed: 1)
  }

  private func check(_ archive: TensorArchive) throws {
    let checked = try CheckedWeights(archive, for: network)
    for parameter in network.parameters where parameter.role != .batchCount {
      #expect(checked.archive[parameter.name]?.floats == weights[parameter.name]?.floats)
    }
  }

  @Test(
    "Prefixes of wrappers and attributes go, one inside the other",
    arguments: [
      "module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "ema_model.",
      "module._orig_mod.", "_orig_mod.module.", "model._orig_mod.", "model.module.", "model.net.",
      "_forward_module.", "_fsdp_wrapped_module.", "module.model.backbone.",
    ])
  func prefixes(prefix: String) throws {
    try check(weights.renamed { prefix + $0 })
    var averaged = weights.renamed { prefix + $0 }
    averaged["n_averaged"] = ArchivedTensor(integers: [5], shape: [])
    try check(averaged)
  }

  @Test("Compilers and sharded training put names into the middle")
  func middle() throws {
    for word in ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"] {
      try check(
        weights.renamed { name in
          var parts = name.split(separator: ".").map(String.init)
          parts.insert(word, at: parts.count / 2)
          return (["model", word] + parts).joined(separator: ".")
        })
    }
  }

  @Test("Counts of batches may be missing behind any prefix")
  func batchCounts() throws {
    var archive = TensorArchive()
    for (name, tensor) in weights where !name.hasSuffix("num_batches_tracked") {
      archive["model.\(name)"] = tensor
    }
    try check(archive)
  }

  @Test("What is left over or missing behind a prefix is named, without the prefix")
  func strict() throws {
    var archive = weights.renamed { "model.\($0)" }
    let first = try #require(network.parameters.last { $0.role == .linearWeight }).name
    archive["model.\(first)"] = nil
    archive["criterion.weight"] = ArchivedTensor([1], shape: [1])
    let error = #expect(throws: WeightsMismatchError.self) {
      try CheckedWeights(archive, for: network)
    }
    #expect(error?.report.missing == [first])
    #expect(error?.report.unexpected == ["criterion.weight"])
  }

  @Test(
    "DenseNets of public chest X-ray programs: an attribute, old names of layers, a sequence for the head"
  )
  func chestXRayCheckpoints() throws {
    let network = try ModelZoo.network(
      named: "densenet121", options: ModelOptions(classes: 14))
    let weights = RandomWeights.archive(network, seed: 3)
    let published = weights.renamed { name in
      let name = name.replacing(/denselayer([0-9]+)\.(norm|conv)([12])/) {
        "denselayer\($0.1).\($0.2).\($0.3)"
      }
      return "module.densenet121." + name.replacing("classifier.", with: "classifier.0.")
    }
    #expect(published.names.contains("module.densenet121.classifier.0.weight"))
    #expect(
      published.names.contains(
        "module.densenet121.features.denseblock1.denselayer1.norm.1.weight"))
    let checked = try CheckedWeights(published, for: network)
    for parameter in network.parameters where parameter.role != .batchCount {
      #expect(checked.archive[parameter.name]?.floats == weights[parameter.name]?.floats)
    }
    // A head of two layers is another network.
    var deeper = published
    deeper["module.densenet121.classifier.1.weight"] = ArchivedTensor([1], shape: [1])
    #expect(throws: WeightsMismatchError.self) { try CheckedWeights(deeper, for: network) }
  }

  @Test("What parallel training puts before all names goes as often as all have it, however often")
  func manyModules() throws {
    func names(_ all: [String]) -> Set<String> {
      var archive = TensorArchive()
      for name in all { archive[name] = ArchivedTensor([1], shape: [1]) }
      return Set(archive.unwrapped.names)
    }
    #expect(names(["module.a", "module.module.b"]) == ["a", "module.b"])
    #expect(names(["module.a", "b"]) == ["module.a", "b"])
    #expect(names(["module.module.a", "module.module.é"]) == ["a", "é"])
    let front = String(repeating: "module.", count: 300_000)
    #expect(names([front + "a", front + "module.b"]) == ["a", "module.b"])
    #expect(names([front]) == [""])
  }

  @Test("Many layers, each alone in a sequence: only those with a second layer keep their names")
  func manySequences() throws {
    let count = 4000
    var builder = NetworkBuilder(name: "many", inputChannels: 1, inputSize: ImageSize(1))
    var x = builder.convolution(builder.input, "first", outputChannels: 1)
    for index in 0..<count { x = builder.convolution(x, "layer\(index)", outputChannels: 1) }
    let network = try builder.build()
    var published = TensorArchive()
    published["first.weight"] = ArchivedTensor([1], shape: [1, 1, 1, 1])
    for index in 0..<count {
      published["layer\(index).0.weight"] = ArchivedTensor([2], shape: [1, 1, 1, 1])
    }
    // Another layer's sequence begins alike: layer 1 and layers 10 to 19.
    published["layer10.10.weight"] = ArchivedTensor([3], shape: [1])
    let named = published.named(for: network.parameters)
    #expect((0..<count).allSatisfy { named["layer\($0).weight"]?.floats == [2] })
    #expect(named["layer10.10.weight"] != nil)
    published["layer10.1.weight"] = ArchivedTensor([3], shape: [1])
    let kept = published.named(for: network.parameters)
    #expect(kept["layer10.weight"] == nil && kept["layer10.0.weight"] != nil)
    #expect(kept["layer1.weight"] != nil && kept["layer100.weight"] != nil)
  }

  @Test("Words that are no wrapper's are no prefix")
  func otherWords() {
    let error = #expect(throws: WeightsMismatchError.self) {
      try CheckedWeights(weights.renamed { "teacher.\($0)" }, for: network)
    }
    #expect(error?.report.loaded.isEmpty == true)
    #expect(error?.report.unexpected.count == weights.count)
  }

  @Test("A network whose own names begin like a wrapper's keeps them")
  func ownNames() throws {
    var builder = NetworkBuilder(name: "own", inputChannels: 1, inputSize: ImageSize(4))
    _ = builder.convolution(builder.input, "model.conv", outputChannels: 2)
    let own = try builder.build()
    let weights = RandomWeights.archive(own, seed: 1)
    #expect(try CheckedWeights(weights, for: own).archive.names == weights.names)
    #expect(
      try CheckedWeights(weights.renamed { "module.\($0)" }, for: own).archive.names
        == weights.names)
  }
}
