// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXONNX
import MUXTestSupport
import Testing

@Suite("ONNX from networks that no one would write", .tags(.slow), .endsSometime)
struct HostileNetworkTests {
  @Test("Whatever a network file may say is exported, or refused in one line")
  func exports() throws {
    var written = 0
    let file = try EarlierVersion("0.1").text("networks/every_operation.json")
    try HostileValues.each(Network.self, ofJSON: file) { hostile, network in
      guard network.parameterCount < 100_000 else { return }
      do {
        _ = try ONNXExport().model(network, weights: halves(network))
        written += 1
      } catch {
        #expect(!"\(error)".contains("\n"), "\(hostile): \(error)")
      }
    }
    #expect(written > 50 / Portion.step)
  }
}
