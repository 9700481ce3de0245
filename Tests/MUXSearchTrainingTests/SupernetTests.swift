// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXNetworks
import MUXSearch
import MUXSearchTraining
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite("Weights that the networks of a space share", .serialized)
struct SupernetTests {
  /// Shared tensors of a space with all values drawn, also those that start at 0 or 1.
  private func tensors(
    _ name: String, widths: WeightSharing.Widths = .shared
  ) throws -> (sharing: WeightSharing, tensors: SupernetTensors) {
    let sharing = try WeightSharing(.named(name), widths: widths)
    let tensors = try SupernetTensors(
      sharing, ends: try sharing.ends(), settings: SupernetConfiguration(), seed: 5, device: .cpu)
    let generator = try TorchGenerator(seed: 9)
    for entry in tensors.namedState where entry.tensor.rank == 1 {
      let values = try generator.uniform(entry.tensor.shape, low: 0.5, high: 1.5)
      try withoutGradient { () throws(TorchError) in
        try entry.tensor.copyInPlace(from: values)
      }
    }
    return (sharing, tensors)
  }

  private func archive(_ tensors: SupernetTensors) throws -> TensorArchive {
    var archive = TensorArchive()
    for entry in tensors.namedState { archive[entry.name] = try ArchivedTensor(entry.tensor) }
    return archive
  }

  private func images(_ sharing: WeightSharing) throws -> Tensor {
    let space = sharing.space
    return try TorchGenerator(seed: 3)
      .normal([3, space.inputChannels, space.inputSize, space.inputSize])
  }

  @Test(
    "a network that was taken out has the logits of the super-network",
    arguments: [("digits", WeightSharing.Widths.shared), ("digits", .own), ("small", .shared)])
  func extraction(name: String, widths: WeightSharing.Widths) throws {
    let (sharing, tensors) = try tensors(name, widths: widths)
    let archive = try archive(tensors)
    let images = try images(sharing)
    let domain = NetworkDomain(sharing.space)
    var random = SearchRandom(seed: 17, purpose: "test")
    var seen: Set<String> = []
    for number in 0..<50 {
      let genome = try sharing.drawn(with: &random)
      for (index, gene) in domain.genes.enumerated() {
        let text = domain.choiceTexts[index][genome[index]]
        seen.insert("\(gene.name.split(separator: ".").last ?? "") \(text)")
      }
      let shared = try tensors.network(genome).model
      let network = try sharing.network(genome)
      let alone = try NetworkModel(network, seed: 1, fusesOperations: number % 2 == 0)
      try alone.load(
        sharing.weights(of: sharing.canonical(genome), network, from: archive, path: "test"))
      let (expected, actual) = try withoutGradient {
        (try shared.forward(images).floats(), try alone.forward(images).floats())
      }
      let scale = max(expected.map(abs).max() ?? 0, 1)
      let distance = zip(expected, actual).map { abs($0 - $1) }.max() ?? .infinity
      #expect(distance <= 1e-5 * scale, "\(genome.values): \(distance) of \(scale)")
      #expect(expected.contains { $0 != expected[0] })
    }
    for choice in [
      "repeats 0", "repeats 2", "multiplexing none", "multiplexing -1.0",
      "multiplexing -1.0.0.1", "reductionKernels 3.5", "head 0", "kernel 3", "kernel 5",
    ] {
      #expect(seen.contains(choice), "\(choice) was not drawn")
    }
  }

  @Test("blocks that do nothing but shuffle can be left out: the next layer reads in their order")
  func skippedShuffles() throws {
    let (sharing, tensors) = try tensors("small")
    // Without what the last norm adds, a block passes its input on and shuffles it.
    for entry in tensors.namedState
    where entry.name.contains("stage") && !entry.name.contains("first")
      && entry.name.contains(".bn3.")
      && (entry.name.hasSuffix("weight") || entry.name.hasSuffix("bias"))
    {
      try withoutGradient { () throws(TorchError) in try entry.tensor.zeroInPlace() }
    }
    let images = try images(sharing)
    let genes = NetworkDomain(sharing.space).genes
    var random = SearchRandom(seed: 2, purpose: "test")
    for _ in 0..<5 {
      var genome = try sharing.drawn(with: &random)
      var logits: [[Float]] = []
      for depth in [2, 1, 0] {
        for (index, gene) in genes.enumerated() where gene.name.hasSuffix(".repeats") {
          genome[index] = min(depth, gene.choices - 1)
        }
        logits.append(
          try withoutGradient { try tensors.network(genome).model.forward(images).floats() })
      }
      for other in logits.dropFirst() {
        let distance = zip(logits[0], other).map { abs($0 - $1) }.max() ?? .infinity
        #expect(distance <= 1e-4 * max(logits[0].map(abs).max() ?? 0, 1), "\(genome.values)")
      }
    }
  }

  @Test("gradients of several networks add up in the shared tensors, statistics are written back")
  func gradients() throws {
    let (sharing, tensors) = try tensors("digits")
    let images = try images(sharing)
    let before = try archive(tensors)
    let networks = try tensors.networks(step: 0, batch: 0)
    #expect(networks.count == 4)
    for entry in networks {
      entry.model.isTraining = true
      try entry.model.forward(images).squared().mean().backward()
      try entry.finish()
    }
    let after = try archive(tensors)
    let stem = try #require(tensors.parameters.first { $0.name == "conv_stem.weight" }).tensor
    let gradient = try #require(try stem.grad())
    #expect(gradient.shape == stem.shape)
    #expect(try gradient.floats().contains { $0 != 0 })
    // All networks have the first channels' statistics; those of the wide ones alone lie behind.
    let name = "stage2.first.bn1.running_mean"
    let pairs = zip(try #require(before[name]).floats, try #require(after[name]).floats)
    #expect(pairs.contains { $0 != $1 })
    // The same step has the same networks, another one has others.
    let again = try tensors.networks(step: 0, batch: 0)
    #expect(again.map(\.model.network.nodes) == networks.map(\.model.network.nodes))
    let next = try tensors.networks(step: 1, batch: 0)
    #expect(next.map(\.model.network.nodes) != networks.map(\.model.network.nodes))
    // Every node of the blocks runs fused, as in an ordinary network.
    for entry in networks {
      let nodes = entry.model.network.nodes.count
      #expect(try entry.model.installFusedOperations() > nodes * 2 / 3)
    }
  }
}
