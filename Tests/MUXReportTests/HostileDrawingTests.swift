// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXReport
import MUXTestSupport
import Testing

@Suite("Drawings of networks that no one would write", .tags(.slow), .endsSometime)
struct HostileDrawingTests {
  @Test("Whatever a network file may say is drawn")
  func drawings() throws {
    var drawn = 0
    let file = try EarlierVersion("0.1").text("networks/every_operation.json")
    try HostileValues.each(Network.self, ofJSON: file) { hostile, network in
      let width = try NetworkDrawing(network).picture.width
      #expect(width > 0, "\(hostile)")
      drawn += 1
    }
    #expect(drawn > 50 / Portion.step)
  }
}
