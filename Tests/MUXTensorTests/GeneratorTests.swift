// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct GeneratorTests {
  @Test("the same seed gives the same numbers, another seed others")
  func seeds() throws {
    let first = try TorchGenerator(seed: 7).normal([100])
    #expect(try first.isIdentical(to: TorchGenerator(seed: 7).normal([100])))
    #expect(try !first.isIdentical(to: TorchGenerator(seed: 8).normal([100])))
    let generator = try TorchGenerator(seed: 1)
    _ = try generator.normal([5])
    try generator.reseed(7)
    #expect(try first.isIdentical(to: generator.normal([100])))
  }

  @Test("a restored state continues the stream, also in another generator")
  func states() throws {
    let generator = try TorchGenerator(seed: 3)
    // An odd count leaves half of a pair of normal numbers behind: part of the state too.
    _ = try generator.normal([3])
    let state = try generator.state()
    let expected = try generator.normal([37])
    try generator.restore(state)
    #expect(try expected.isIdentical(to: generator.normal([37])))
    let other = try TorchGenerator(seed: 99)
    try other.restore(state)
    #expect(try expected.isIdentical(to: other.normal([37])))
    #expect(throws: TorchError.self) { try other.restore([1, 2, 3]) }
  }

  @Test("distributions have their range and moments")
  func distributions() throws {
    let generator = try TorchGenerator(seed: 5)
    let uniform = try generator.uniform([20_000], low: -1, high: 3)
    #expect(try uniform.min().item() >= -1 && uniform.max().item() < 3)
    #expect(abs(try uniform.mean().item() - 1) < 0.05)
    let normal = try generator.normal([20_000], mean: 2, deviation: 0.5)
    #expect(abs(try normal.mean().item() - 2) < 0.02)
    #expect(abs(try normal.variance().item() - 0.25) < 0.02)
    let integers = try generator.integers([1000], in: 3..<6).array(of: Int64.self)
    #expect(Set(integers) == [3, 4, 5])
    let order = try generator.permutation(50).array(of: Int64.self)
    #expect(order.sorted() == Array(0..<50) && order != Array(0..<50))
  }

  @Test("dropout keeps the mean, zeroes the share, and repeats by seed")
  func dropout() throws {
    let ones = try Tensor.ones([20_000]).setRequiresGrad()
    let dropped = try ones.dropout(probability: 0.25, generator: TorchGenerator(seed: 4))
    let again = try ones.dropout(probability: 0.25, generator: TorchGenerator(seed: 4))
    #expect(try dropped.isIdentical(to: again))
    let zeros = try dropped.isEqual(to: 0).to(.float32).mean().item()
    #expect(abs(zeros - 0.25) < 0.02)
    #expect(abs(try dropped.mean().item() - 1) < 0.03)
    try dropped.sum().backward()
    // The gradient is the mask itself.
    #expect(try #require(try ones.grad()).isIdentical(to: dropped.detach()))
    #expect(throws: TorchError.self) {
      try ones.dropout(probability: 1, generator: TorchGenerator(seed: 4))
    }
  }
}
