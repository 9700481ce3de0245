// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor
import MUXTestSupport
import MUXTraining
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private func loaded(images: Tensor) throws {
  let network = try ModelZoo.network(named: "muxnet_m")
  let model = try NetworkModel(network, seed: 0)
  try model.load(path: "muxnet_m.pth.tar")
  let logits = try model.forward(images)
  _ = logits
}

@Suite("Documentation of training")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXTraining/MUXTraining.docc/MUXTraining.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
