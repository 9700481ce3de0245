// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import MUXVision

/// Running sums of a comparison of two computations of the same network.
struct AgreementTally<Head: TaskHead> {
  private let head: Head
  private var images = 0
  private var decisions: DecisionCount?
  /// Nil where targets are not known.
  private var meters: (exact: Head.TaskMeter, own: Head.TaskMeter)?
  private var greatestError: Float = 0, greatestOutput: Float = 0
  private var signal = 0.0, noise = 0.0

  init(_ head: Head, hasTargets: Bool) {
    self.head = head
    if hasTargets { meters = (head.makeMeter(), head.makeMeter()) }
  }

  /// Takes in the outputs for a batch.
  mutating func add(_ actual: [OutputTensor], exact: [OutputTensor], _ batch: Batch) throws {
    images += batch.pixels.count
    if let count = try head.agreement(actual, exact) {
      decisions = DecisionCount(
        count.name, same: count.same + (decisions?.same ?? 0),
        of: count.total + (decisions?.total ?? 0))
    }
    if var meters {
      try head.measure(exact, batch.targets, original: batch.originalSizes, into: &meters.exact)
      try head.measure(actual, batch.targets, original: batch.originalSizes, into: &meters.own)
      self.meters = meters
    }
    for (actual, exact) in zip(actual, exact) {
      for (a, b) in zip(actual.values, exact.values) {
        greatestError = max(greatestError, abs(a - b))
        greatestOutput = max(greatestOutput, abs(b))
        noise += Double(a - b) * Double(a - b)
        signal += Double(b) * Double(b)
      }
    }
  }

  var result: PrecisionAgreement {
    PrecisionAgreement(
      images: images, decisions: decisions, greatestError: Double(greatestError),
      greatestOutput: Double(greatestOutput),
      signalToNoise: noise > 0 ? max(-300, min(10 * log10(signal / noise), 300)) : 300,
      scoresFloat32: meters?.exact.scores(), scores: meters?.own.scores())
  }
}
