// SPDX-License-Identifier: Apache-2.0

/// Whether probabilities are to be believed: how often what is said with some confidence is true (Guo et
/// al. 2017). Fifteen bins of equal width, as is usual.
package struct Reliability: Sendable, Hashable, Codable {
  /// What was said with about the same confidence.
  package struct Bin: Sendable, Hashable, Codable {
    /// How much of it.
    package var count = 0
    /// How much of that is true.
    package var right = 0
    /// The sum of the confidences.
    package var confidence = 0.0
  }

  /// The bins, from no confidence to certainty.
  package private(set) var bins = [Bin](repeating: Bin(), count: 15)

  /// Nothing was said yet.
  package init() {}

  /// Counts one thing that was said, with its probability.
  package mutating func add(confidence: Double, isRight: Bool) {
    guard confidence.isFinite else { return }
    let share = min(max(confidence, 0), 1)
    // A bin has its upper edge, not its lower one.
    let place = min(max(Int((share * Double(bins.count)).rounded(.up)) - 1, 0), bins.count - 1)
    bins[place].count += 1
    bins[place].right += isRight ? 1 : 0
    bins[place].confidence += share
  }

  /// Takes in what another has counted.
  package mutating func merge(_ other: Reliability) {
    for index in bins.indices {
      bins[index].count += other.bins[index].count
      bins[index].right += other.bins[index].right
      bins[index].confidence += other.bins[index].confidence
    }
  }

  /// The expected calibration error: the mean difference between confidence and share of right ones, each
  /// bin weighing as much as is in it. Nil where nothing was said.
  package var expectedError: Double? {
    let total = bins.reduce(0) { $0 + $1.count }
    guard total > 0 else { return nil }
    return bins.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / Double(total)
  }

  /// The share of right ones over the confidence.
  func chart(of what: String) -> ScoreChart {
    let points = bins.filter { $0.count > 0 }.map { bin in
      ScoreChart.Point(
        x: bin.confidence / Double(bin.count), y: Double(bin.right) / Double(bin.count),
        count: bin.count)
    }
    let error = expectedError.map { " Expected calibration error: \(Self.rounded($0))." } ?? ""
    return ScoreChart(
      title: "Calibration",
      note:
        "How often \(what) is right, over its probability, in \(bins.count) bins; below the line the"
        + " network is too sure of itself, above it too careful.\(error)",
      xTitle: "mean probability", yTitle: "share that is right",
      curves: [
        ScoreChart.Curve(
          "perfectly calibrated", points: [.init(x: 0, y: 0), .init(x: 1, y: 1)],
          isReference: true), ScoreChart.Curve("this network", points: points),
      ])
  }

  private static func rounded(_ value: Double) -> String {
    let digits = "\(Int((10_000 * value).rounded()))"
    return "0." + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
