// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The softmax of a classifier's outputs, in double precision where sums are taken.
enum Softmax {
  static func exponential(_ value: Float) -> Float { exp(value) }

  /// The cross entropy −log softmax(outputs)[label] of one image.
  static func crossEntropy(_ outputs: some Collection<Float>, own: Float) -> Double {
    let largest = Double(outputs.max() ?? 0)
    let sum = outputs.reduce(0.0) { $0 + exp(Double($1) - largest) }
    return log(sum) + largest - Double(own)
  }
}
