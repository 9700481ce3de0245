// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTensor
import Testing

/// Functions of single elements against those of Foundation, in double precision.
@Suite struct ElementwiseTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let tensor: @Sendable (Tensor) throws -> Tensor
    let expected: @Sendable (Double) -> Double
    /// The elements, where the function is not defined everywhere.
    var elements: [Float] = ElementwiseTests.everywhere

    init(
      _ name: String, _ tensor: @escaping @Sendable (Tensor) throws -> Tensor,
      _ expected: @escaping @Sendable (Double) -> Double, positive: Bool = false
    ) {
      testDescription = name
      self.tensor = tensor
      self.expected = expected
      if positive { elements = elements.filter { $0 > 0 } }
    }
  }

  static let everywhere: [Float] = [-7.5, -2.5, -1, -0.75, -0.125, 0, 0.125, 0.5, 1, 1.5, 3, 7.5]

  static let cases: [Case] = [
    Case("negated", { try $0.negated() }, { -$0 }),
    Case("absolute", { try $0.absolute() }, { abs($0) }),
    Case("exp", { try $0.exp() }, { exp($0) }),
    Case("log", { try $0.log() }, { log($0) }, positive: true),
    Case("square root", { try $0.squareRoot() }, { $0.squareRoot() }, positive: true),
    Case(
      "reciprocal square root", { try $0.reciprocalSquareRoot() }, { 1 / $0.squareRoot() },
      positive: true),
    Case("squared", { try $0.squared() }, { $0 * $0 }),
    Case("hyperbolic tangent", { try $0.tanh() }, { tanh($0) }),
    Case("softplus", { try $0.softplus() }, { log1p(exp($0)) }),
    Case("gelu", { try $0.gelu() }, { $0 * (1 + erf($0 / 2.squareRoot())) / 2 }),
    Case("power", { try $0.power(2.5) }, { pow($0, 2.5) }, positive: true),
    Case("clamped", { try $0.clamped(low: -1, high: 2) }, { min(2, max(-1, $0)) }),
  ]

  @Test("each function has the values of its definition", arguments: cases)
  func values(_ function: Case) throws {
    let tensor = try function.tensor(Tensor(function.elements))
    for (element, value) in zip(function.elements, try tensor.floats()) {
      let expected = function.expected(Double(element))
      #expect(abs(Double(value) - expected) <= 2e-6 * max(1, abs(expected)), "of \(element)")
    }
  }

  @Test("comparisons hold where they do for numbers, and are joined element by element")
  func comparisons() throws {
    let (left, right): ([Float], [Float]) = ([1, 2, 3, -1], [2, 2, 1, -1])
    let (a, b) = (try Tensor(left), try Tensor(right))
    func expect(_ found: Tensor, _ expected: [Bool]) throws {
      #expect(try found.array(of: Bool.self) == expected)
    }
    try expect(a.isEqual(to: b), zip(left, right).map { $0 == $1 })
    try expect(a.isDifferent(from: b), zip(left, right).map { $0 != $1 })
    try expect(a.isLess(than: b), zip(left, right).map { $0 < $1 })
    try expect(a.isLessOrEqual(to: b), zip(left, right).map { $0 <= $1 })
    try expect(a.isGreater(than: b), zip(left, right).map { $0 > $1 })
    try expect(a.isGreaterOrEqual(to: b), zip(left, right).map { $0 >= $1 })
    try expect(a.isEqual(to: 2), left.map { $0 == 2 })
    try expect(a.isDifferent(from: 2), left.map { $0 != 2 })
    try expect(a.isLess(than: 2), left.map { $0 < 2 })
    try expect(a.isLessOrEqual(to: 2), left.map { $0 <= 2 })
    try expect(a.isGreater(than: 2), left.map { $0 > 2 })
    try expect(a.isGreaterOrEqual(to: 2), left.map { $0 >= 2 })
    try expect(a.isLess(than: b).and(a.isLess(than: 2)), [true, false, false, false])
    try expect(a.isLess(than: b).or(a.isLess(than: 2)), [true, false, false, true])
  }

  @Test("sums of exponentials do not overflow")
  func logSumExp() throws {
    let large = try Tensor([1000, 1000] as [Float]).logSumExp([0]).floats()
    #expect(abs(large[0] - 1000 - logf(2)) < 1e-3)
  }
}
