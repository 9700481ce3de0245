// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Outputs as probabilities, in double precision where sums are taken.
public enum Softmax {
  /// exp(xᵢ) / Σ exp(xⱼ) of one image's outputs.
  public static func probabilities(_ outputs: some Collection<Float>) -> [Float] {
    var values = Array(outputs)
    values.withUnsafeMutableBufferPointer { replace($0) }
    return values
  }

  /// Replaces one image's outputs by their probabilities, for who has no time for another list.
  static func replace(_ outputs: UnsafeMutableBufferPointer<Float>) {
    let largest = outputs.max() ?? 0
    var sum: Float = 0
    for index in outputs.indices {
      outputs[index] = exp(outputs[index] - largest)
      sum += outputs[index]
    }
    for index in outputs.indices { outputs[index] /= sum }
  }

  /// The output with that softmax among others of the same kind: its logarithm. What is impossible
  /// stays finite.
  package static func output(of probability: Double) -> Double { log(max(probability, 1e-37)) }

  /// The cross entropy −log softmax(outputs)[label] of one image; `own` is the output of its label.
  package static func crossEntropy(_ outputs: some Collection<Float>, own: Float) -> Double {
    let largest = Double(outputs.max() ?? 0)
    let sum = outputs.reduce(0.0) { $0 + exp(Double($1) - largest) }
    return log(sum) + largest - Double(own)
  }

  /// The place of the greatest output of one image, the first of equals, and its softmax.
  static func best(_ outputs: ArraySlice<Float>) -> (index: Int, probability: Double) {
    let best = outputs.indices.max { outputs[$0] < outputs[$1] } ?? outputs.startIndex
    let loss = outputs.isEmpty ? 0 : crossEntropy(outputs, own: outputs[best])
    return (best - outputs.startIndex, exp(-loss))
  }
}

/// Single outputs as probabilities, each on its own.
public enum Sigmoid {
  /// 1 / (1 + exp(−x)), without overflow.
  public static func probability(_ output: Double) -> Double {
    guard output < 0 else { return 1 / (1 + exp(-output)) }
    let power = exp(output)
    return power / (1 + power)
  }

  /// The output with that probability: the logarithm of its odds. Certainty stays finite.
  package static func output(of probability: Double) -> Double {
    let bounded = min(max(probability, 1e-15), 1 - 1e-15)
    return log(bounded / (1 - bounded))
  }

  /// The binary cross entropy of an output with a target of 0 or 1, without overflow.
  package static func crossEntropy(_ output: Double, isPositive: Bool) -> Double {
    max(output, 0) - (isPositive ? output : 0) + log1p(exp(-abs(output)))
  }
}
