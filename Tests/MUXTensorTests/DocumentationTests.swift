// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import MUXTestSupport
import Testing

// The example of the module's page, so that it compiles; what the reader supplies is given here.

private func differentiated() throws {
  let x = try TorchGenerator(seed: 1).normal([2, 3])
  try x.setRequiresGrad()
  try x.squared().sum().backward()
  let slope = try x.grad()
  _ = slope
}

@Suite("Documentation of tensors")
struct DocumentationTests {
  @Test("The example in Swift is the one that compiles here")
  func example() throws {
    let examples = try PageExamples(of: "Sources/MUXTensor/MUXTensor.docc/MUXTensor.md")
    #expect(examples.count == 1)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
