// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import Testing

@Suite("Plans of networks that no one would write", .tags(.slow), .endsSometime)
struct HostileNetworkTests {
  @Test("Whatever a network file may say is planned, or refused in one line")
  func plans() throws {
    var planned = 0
    let file = try EarlierVersion("0.1").text("networks/every_operation.json")
    try HostileValues.each(Network.self, ofJSON: file) { hostile, network in
      guard network.parameterCount < 100_000 else { return }
      do {
        let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
        planned += 1
        // Small ones run, too; a plan of a large one is only a list of steps.
        guard plan.arenaBytes < 1 << 20 else { return }
        let count = network.inputChannels * network.inputSize.height * network.inputSize.width
        _ = try InferenceEngine(plan).run([Float](repeating: 0.5, count: count))
      } catch {
        #expect(!"\(error)".contains("\n"), "\(hostile): \(error)")
      }
    }
    #expect(planned > 50 / Portion.step)
  }
}
