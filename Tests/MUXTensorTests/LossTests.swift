// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTensor
import Testing

@Suite struct LossTests {
  let rows: [[Double]] = [[1, 2, 0.5], [-1, 0, 3]]

  func logits() throws -> Tensor {
    try Tensor(rows.flatMap { $0 }.map(Float.init), shape: [2, 3])
  }

  /// −log of the softmax.
  func cost(_ row: Int, _ column: Int) -> Double {
    let values = rows[row]
    return log(values.map { exp($0) }.reduce(0, +)) - values[column]
  }

  @Test("cross entropy by class number, smoothed, soft and ignored")
  func crossEntropy() throws {
    let x = try logits()
    let target = try Tensor([1, 2] as [Int64])
    let hard = (cost(0, 1) + cost(1, 2)) / 2
    #expect(abs(try x.crossEntropy(target).item() - hard) < 1e-6)
    let even = (0..<2).map { row in (0..<3).map { cost(row, $0) }.reduce(0, +) / 3 }
    let smoothed = 0.9 * hard + 0.1 * (even[0] + even[1]) / 2
    #expect(abs(try x.crossEntropy(target, smoothing: 0.1).item() - smoothed) < 1e-6)
    let soft = try Tensor([0.25, 0.75, 0, 0, 0, 1] as [Float], shape: [2, 3])
    let mixed = (0.25 * cost(0, 0) + 0.75 * cost(0, 1) + cost(1, 2)) / 2
    #expect(abs(try x.crossEntropy(soft).item() - mixed) < 1e-6)
    let ignoring = try Tensor([1, -100] as [Int64])
    #expect(abs(try x.crossEntropy(ignoring).item() - cost(0, 1)) < 1e-6)
    #expect(try x.crossEntropy(target, reduction: .none).shape == [2])
    #expect(throws: TorchError.self) { try x.crossEntropy(Tensor([1, 3] as [Int64])) }
  }

  @Test("binary cross entropy, plain and with a positive weight")
  func binary() throws {
    let x = try Tensor([0, 2, -30] as [Float])
    let target = try Tensor([1, 0, 0] as [Float])
    let expected = [log(2.0), 2 + log(1 + exp(-2.0)), exp(-30.0)]
    let found = try x.binaryCrossEntropy(target, reduction: .none).floats()
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-6) }
    let weighted = try x.binaryCrossEntropy(
      target, positiveWeight: Tensor([3, 3, 3] as [Float]), reduction: .sum)
    #expect(abs(try weighted.item() - (3 * expected[0] + expected[1] + expected[2])) < 1e-5)
    #expect(throws: TorchError.self) { try x.binaryCrossEntropy(Tensor.zeros([3, 1])) }
  }

  @Test("smooth L1, squared error and divergence")
  func others() throws {
    let x = try Tensor([0, 0] as [Float])
    let y = try Tensor([0.5, -3] as [Float])
    #expect(try x.smoothL1(y, reduction: .none).array(of: Float.self) == [0.125, 2.5])
    #expect(try x.squaredError(y).item() == (0.25 + 9) / 2)
    let p = try Tensor([0.5, 0.5] as [Float])
    let q = try Tensor([0.25, 0.75] as [Float])
    let expected = 0.25 * log(0.5) + 0.75 * log(1.5)
    #expect(abs(try p.log().klDivergence(q, reduction: .sum).item() - expected) < 1e-6)
  }
}
