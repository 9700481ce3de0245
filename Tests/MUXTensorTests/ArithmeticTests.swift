// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct ArithmeticTests {
  @Test("operators broadcast and keep whole numbers whole")
  func operators() throws {
    let a = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    let b = try Tensor([10, 20] as [Float])
    #expect(try (a + b).array(of: Float.self) == [11, 22, 13, 24])
    #expect(try (a - 1).array(of: Float.self) == [0, 1, 2, 3])
    #expect(try (a * b).array(of: Float.self) == [10, 40, 30, 80])
    #expect(try (b / a).array(of: Float.self) == [10, 10, Float(10) / 3, 5])
    #expect(try (-a).array(of: Float.self) == [-1, -2, -3, -4])
    let whole = try Tensor([1, 2] as [Int64])
    #expect(try (whole * 3).array(of: Int64.self) == [3, 6])
    #expect(try (whole / 4).floats() == [0.25, 0.5])
    #expect(try a.adding(b, scale: 0.5).array(of: Float.self) == [6, 12, 8, 14])
    #expect(try a.clamped(low: 2).array(of: Float.self) == [2, 2, 3, 4])
    #expect(try a.clamped(high: 3).array(of: Float.self) == [1, 2, 3, 3])
    #expect(try a.maximum(b / 10).array(of: Float.self) == [1, 2, 3, 4])
    #expect(try a.minimum(b / 10).array(of: Float.self) == [1, 2, 1, 2])
    #expect(try a.power(2).isIdentical(to: a.squared()))
  }

  @Test("in-place updates change the tensor and every view of it")
  func inPlace() throws {
    let a = try Tensor([1, 2, 3] as [Float])
    let view = try a.reshape([3, 1])
    let b = try Tensor([2, 2, 2] as [Float])
    try a.addInPlace(b, scale: 2)
    #expect(try view.array(of: Float.self) == [5, 6, 7])
    try a.clampInPlace(low: 5.5, high: 6.5)
    #expect(try a.array(of: Float.self) == [5.5, 6, 6.5])
    try a.multiplyInPlace(2)
    try a.subtractInPlace(b)
    try a.divideInPlace(0.5)
    #expect(try a.array(of: Float.self) == [18, 20, 22])
    try a.copyInPlace(from: Tensor([1, 2, 3] as [Int64]))
    #expect(try a.array(of: Float.self) == [1, 2, 3])
    try a.zeroInPlace()
    #expect(try view.array(of: Float.self) == [0, 0, 0])
  }

  @Test("reductions go over the named dimensions, or all")
  func reductions() throws {
    let a = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(try a.sum().item() == 21)
    #expect(try a.sum([0]).array(of: Float.self) == [5, 7, 9])
    #expect(try a.mean([1], keep: true).shape == [2, 1])
    #expect(try a.mean([-1]).array(of: Float.self) == [2, 5])
    #expect(try a.max([1]).array(of: Float.self) == [3, 6])
    #expect(try a.min().item() == 1)
    #expect(try a.variance([1]).array(of: Float.self) == [1, 1])
    #expect(try a.variance([1], correction: 0).array(of: Float.self) == [2.0 / 3, 2.0 / 3])
    #expect(abs(try a.norm().item() - 91.0.squareRoot()) < 1e-6)
    #expect(try a.argmax(1).array(of: Int64.self) == [2, 2])
    #expect(try a.argmax(0).array(of: Int64.self) == [1, 1, 1])
    let top = try a.top(2, dimension: 1)
    #expect(try top.values.array(of: Float.self) == [3, 2, 6, 5])
    #expect(try top.indices.array(of: Int64.self) == [2, 1, 2, 1])
    let sorted = try Tensor([2, 1, 2, 3] as [Float]).sorted(descending: true)
    #expect(try sorted.indices.array(of: Int64.self) == [3, 0, 2, 1])
    #expect(try a.matmul(a.transpose(0, 1)).array(of: Float.self) == [14, 32, 32, 77])
    #expect(
      try Tensor([1, .nan, .infinity] as [Float]).isFinite().array(of: Bool.self) == [
        true, false, false,
      ])
  }

  @Test("activations have their values on both sides of every kink")
  func activations() throws {
    let x = try Tensor([-4, -1, 0, 1, 4, 8] as [Float])
    let values: [Float] = [-4, -1, 0, 1, 4, 8]
    func close(_ tensor: Tensor, _ expected: (Float) -> Float) throws {
      for (found, x) in zip(try tensor.array(of: Float.self), values) {
        #expect(abs(found - expected(x)) < 1e-6, "at \(x)")
      }
    }
    func logistic(_ x: Float) -> Float { Float(1 / (1 + Double.exponential(-Double(x)))) }
    try close(x.relu()) { max($0, 0) }
    try close(x.relu6()) { min(max($0, 0), 6) }
    try close(x.silu()) { $0 * logistic($0) }
    try close(x.sigmoid(), logistic)
    try close(x.hardSigmoid()) { min(max($0 + 3, 0), 6) / 6 }
    try close(x.hardSwish()) { $0 * min(max($0 + 3, 0), 6) / 6 }
    let softmax = try x.softmax(0)
    #expect(abs(try softmax.sum().item() - 1) < 1e-6)
    #expect(abs(try (softmax.log() - x.logSoftmax(0)).absolute().max().item()) < 1e-5)
  }
}

extension Double {
  fileprivate static func exponential(_ x: Double) -> Double {
    // Taylor series of a small argument, squared up: independent of libtorch and Foundation.
    let small = x / 1024
    var term = 1.0
    var sum = 1.0
    for i in 1..<16 {
      term *= small / Double(i)
      sum += term
    }
    for _ in 0..<10 { sum *= sum }
    return sum
  }
}
