// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

@Suite("Memory in proportion to the weights")
struct ProportionTests {
  private func network(side: Int) throws -> Network {
    var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(side))
    let x = builder.convolution(
      builder.input, "stem", outputChannels: 16, kernelSize: 3, stride: 2)
    _ = builder.classify(x, classes: 3)
    return try builder.build()
  }

  @Test("A few weights that claim huge images are refused; a caller that asks for them is not")
  func forged() throws {
    let forged = try network(side: 12_000)
    let error = #expect(throws: RuntimeError.self) {
      try InferencePlan(forged, weights: RandomWeights.archive(forged, seed: 1))
    }
    #expect(error?.description.contains("out of proportion to its weights") == true)
    let honest = try network(side: 64)
    let weights = RandomWeights.archive(honest, seed: 1)
    _ = try InferencePlan(honest, weights: weights)
    // Only planned, not allocated.
    _ = try InferencePlan(honest, weights: weights, inputSize: ImageSize(12_000))
  }
}
