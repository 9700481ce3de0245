// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXONNX
import MUXTestSupport
import Testing

@Suite("ONNX from networks that no one would write", .timeLimit(.minutes(60)))
struct HostileNetworkTests {
  @Test("Whatever a network file may say is exported, or refused in one line")
  func exports() throws {
    var written = 0
    for hostile in try HostileValues.variants(
      ofJSON: EarlierVersion("0.1").text("networks/every_operation.json"))
    {
      guard
        let network = try? JSONDecoder().decode(Network.self, from: Data(hostile.json.utf8)),
        network.parameterCount < 100_000
      else { continue }
      do {
        _ = try ONNXExport().model(network, weights: halves(network))
        written += 1
      } catch {
        #expect(!"\(error)".contains("\n"), "\(hostile): \(error)")
      }
    }
    #expect(written > 50)
  }
}
