// SPDX-License-Identifier: Apache-2.0

/// The quantiles of some numbers, which are nil where there are no numbers. That of a share stands at the
/// place share · (count − 1) of the sorted numbers.
package struct Quantiles: Sendable {
  private let sorted: [Double]

  /// Of numbers in any order.
  package init(_ values: some Sequence<Double>) { sorted = values.sorted() }

  /// A quantile, linear between the two numbers that are nearest to its place.
  package func linear(_ share: Double) -> Double? {
    guard let last = sorted.last else { return nil }
    let place = share * Double(sorted.count - 1)
    let lower = Int(place)
    guard lower + 1 < sorted.count else { return last }
    return sorted[lower] + (place - Double(lower)) * (sorted[lower + 1] - sorted[lower])
  }

  /// The number at the place, or before it.
  package func lower(_ share: Double) -> Double? { number(at: share, .down) }

  /// The number at the place, or behind it.
  package func upper(_ share: Double) -> Double? { number(at: share, .up) }

  private func number(at share: Double, _ rule: FloatingPointRoundingRule) -> Double? {
    sorted.isEmpty ? nil : sorted[Int((share * Double(sorted.count - 1)).rounded(rule))]
  }
}
