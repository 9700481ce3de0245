// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXReport
import MUXTestSupport
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private func drawn() throws {
  let network = try ModelZoo.network(named: "muxnet_m")
  let svg = try NetworkDrawing(network).picture.svg
  _ = svg
}

@Suite("Documentation of reports")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXReport/MUXReport.docc/MUXReport.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
