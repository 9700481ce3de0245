// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages

/// How a model of less than single precision agrees with single precision on images.
public struct PrecisionAgreement: Codable, Hashable, Sendable {
  /// Images compared.
  public var images: Int
  /// The share of them with the same most likely class.
  public var sameTop1: Double
  /// The greatest difference of an output.
  public var greatestError: Double
  /// The greatest magnitude of an output in single precision.
  public var greatestOutput: Double
  /// 10 log₁₀ of the outputs' energy over that of their errors, in decibels, −300 … 300.
  public var signalToNoise: Double
  /// The share of images that single precision recognises; nil where classes are not known.
  public var top1Float32: Double?
  /// The share of images that the model recognises; nil where classes are not known.
  public var top1: Double?

  package init(
    images: Int, sameTop1: Double, greatestError: Double, greatestOutput: Double,
    signalToNoise: Double, top1Float32: Double? = nil, top1: Double? = nil
  ) {
    self.images = images
    self.sameTop1 = sameTop1
    self.greatestError = greatestError
    self.greatestOutput = greatestOutput
    self.signalToNoise = signalToNoise
    self.top1Float32 = top1Float32
    self.top1 = top1
  }
}

/// Running sums of a comparison.
struct AgreementTally {
  private var images = 0, same = 0, correct = 0, correctExact = 0
  private var greatestError: Float = 0, greatestOutput: Float = 0
  private var signal = 0.0, noise = 0.0

  /// Takes in the outputs [N, K] of a batch.
  mutating func add(_ actual: [Float], exact: [Float], targets: [Target]) {
    let classes = exact.count / max(targets.count, 1)
    for (row, target) in targets.enumerated() {
      let own = row * classes..<(row + 1) * classes
      let guess = Self.best(actual[own]), expected = Self.best(exact[own])
      images += 1
      if guess == expected { same += 1 }
      if target == .label(guess) { correct += 1 }
      if target == .label(expected) { correctExact += 1 }
    }
    for (a, b) in zip(actual, exact) {
      greatestError = max(greatestError, abs(a - b))
      greatestOutput = max(greatestOutput, abs(b))
      noise += Double(a - b) * Double(a - b)
      signal += Double(b) * Double(b)
    }
  }

  func result(isLabelled: Bool) -> PrecisionAgreement {
    let count = Double(max(images, 1))
    return PrecisionAgreement(
      images: images, sameTop1: Double(same) / count, greatestError: Double(greatestError),
      greatestOutput: Double(greatestOutput),
      signalToNoise: noise > 0 ? max(-300, min(10 * log10(signal / noise), 300)) : 300,
      top1Float32: isLabelled ? Double(correctExact) / count : nil,
      top1: isLabelled ? Double(correct) / count : nil)
  }

  /// The place of the greatest value, the first of equals.
  private static func best(_ values: ArraySlice<Float>) -> Int {
    var best = values.startIndex
    for index in values.indices where values[index] > values[best] { best = index }
    return best - values.startIndex
  }
}
