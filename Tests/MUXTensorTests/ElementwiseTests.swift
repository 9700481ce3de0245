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
    Case("reciprocal", { try $0.reciprocal() }, { 1 / $0 }, positive: true),
    Case("sine", { try $0.sine() }, { sin($0) }),
    Case("cosine", { try $0.cosine() }, { cos($0) }),
    Case("sign", { try $0.sign() }, { $0 == 0 ? 0 : $0 < 0 ? -1 : 1 }),
    Case("floor", { try $0.floor() }, { $0.rounded(.down) }),
    Case("rounded", { try $0.rounded() }, { $0.rounded(.toNearestOrEven) }),
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

  @Test("the forms in place have the values of the others")
  func inPlace() throws {
    let pairs: [((Tensor) throws -> Void, (Tensor) throws -> Tensor)] = [
      ({ try $0.reluInPlace() }, { try $0.relu() }),
      ({ try $0.siluInPlace() }, { try $0.silu() }),
      ({ try $0.sigmoidInPlace() }, { try $0.sigmoid() }),
    ]
    for (change, function) in pairs {
      let expected = try function(Tensor(Self.everywhere)).floats()
      let tensor = try Tensor(Self.everywhere)
      try change(tensor)
      #expect(try tensor.floats() == expected)
    }
  }

  @Test("zeros are where the logical negation is true; sums of exponentials do not overflow")
  func others() throws {
    let zeros = try Tensor(Self.everywhere).logicalNot().to(.float32).floats()
    #expect(zeros == Self.everywhere.map { $0 == 0 ? 1 : 0 })
    let large = try Tensor([1000, 1000] as [Float]).logSumExp([0]).floats()
    #expect(abs(large[0] - 1000 - logf(2)) < 1e-3)
  }
}
