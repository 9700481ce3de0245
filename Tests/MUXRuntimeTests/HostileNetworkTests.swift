// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import Testing

@Suite("Plans of networks that no one would write", .timeLimit(.minutes(60)))
struct HostileNetworkTests {
  @Test("Whatever a network file may say is planned, or refused in one line")
  func plans() throws {
    var planned = 0
    for hostile in try HostileValues.variants(
      ofJSON: EarlierVersion("0.1").text("networks/every_operation.json"))
    {
      guard
        let network = try? JSONDecoder().decode(Network.self, from: Data(hostile.json.utf8)),
        network.parameterCount < 100_000
      else { continue }
      do {
        let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
        planned += 1
        // Small ones run, too; a plan of a large one is only a list of steps.
        guard plan.arenaBytes < 1 << 20 else { continue }
        let count = network.inputChannels * network.inputSize.height * network.inputSize.width
        _ = try InferenceEngine(plan).run([Float](repeating: 0.5, count: count))
      } catch {
        #expect(!"\(error)".contains("\n"), "\(hostile): \(error)")
      }
    }
    #expect(planned > 50)
  }
}
