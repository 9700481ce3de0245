// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXReport
import MUXTestSupport
import Testing

@Suite("Drawings of networks that no one would write", .timeLimit(.minutes(60)))
struct HostileDrawingTests {
  @Test("Whatever a network file may say is drawn")
  func drawings() throws {
    var drawn = 0
    for hostile in try HostileValues.variants(
      ofJSON: EarlierVersion("0.1").text("networks/every_operation.json"))
    {
      guard
        let network = try? JSONDecoder().decode(Network.self, from: Data(hostile.json.utf8))
      else { continue }
      #expect(try NetworkDrawing(network).picture.width > 0, "\(hostile)")
      drawn += 1
    }
    #expect(drawn > 50)
  }
}
