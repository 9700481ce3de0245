// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Scores of one class follow from the order of its outputs")
struct RankedOutcomesTests {
  private struct Golden: Decodable {
    struct Case: Decodable {
      var name: String
      var labels: [Int]
      var scores: [Double]
      var auroc: Double?
    }
    struct Several: Decodable {
      var labels: [[Int]]
      var scores: [[Double]]
      var auroc: [Double?]
      var meanOfThoseThatExist: Double
    }
    var cases: [Case]
    var multiLabel: Several
  }

  private static let name = "reference/tasks/auroc.json"

  private func golden() throws -> Golden {
    let data = try Data(contentsOf: URL(filePath: Shared.path(Self.name)))
    return try JSONDecoder().decode(Golden.self, from: data)
  }

  private func outcomes(_ outputs: [Float], _ truths: [Int]) -> RankedOutcomes {
    var outcomes = RankedOutcomes()
    for (output, truth) in zip(outputs, truths) { outcomes.add(output, isPositive: truth == 1) }
    return outcomes
  }

  @Test(
    "AUROC is that of the reference, ties and undefined ones included",
    .enabled(if: Shared.has(name), "\(Shared.absent)"))
  func reference() throws {
    let golden = try golden()
    #expect(golden.cases.count > 5)
    for entry in golden.cases {
      // Some outputs differ only in single precision's last bits; all are given as such.
      let value = outcomes(entry.scores.map { Float($0) }, entry.labels).areaUnderROC()
      #expect((value == nil) == (entry.auroc == nil), "\(entry.name)")
      if let value, let expected = entry.auroc {
        #expect(abs(value - expected) < 1e-12, "\(entry.name)")
      }
    }
  }

  @Test(
    "several classes: each on its own, and the mean of those that exist",
    .enabled(if: Shared.has(name), "\(Shared.absent)"))
  func several() throws {
    let golden = try golden().multiLabel
    let classes = golden.auroc.count
    let head = MultiLabelHead(
      task: MultiLabel(), network: "n", classNames: (0..<classes).map { "class \($0)" })
    var meter = head.makeMeter()
    try head.measure(
      [
        OutputTensor(
          name: "n", shape: [golden.labels.count, classes],
          values: golden.scores.flatMap { $0.map { Float($0) } })
      ],
      golden.labels.map { row in .labels(Set(row.indices.filter { row[$0] == 1 })) },
      original: golden.labels.map { _ in ImageSize(8) }, into: &meter)
    for (entry, expected) in zip(meter.details().classes, golden.auroc) {
      #expect((entry.auroc == nil) == (expected == nil))
      if let value = entry.auroc, let expected { #expect(abs(value - expected) < 1e-12) }
    }
    let mean = try #require(meter.scores()["auroc"])
    #expect(abs(mean - golden.meanOfThoseThatExist) < 1e-12)
  }

  @Test("average precision by hand: equal outputs are one threshold")
  func averagePrecision() {
    // Thresholds 3, 2, 1: precisions 1, 2/3, 2/4 at recalls 1/2, 1, 1.
    let value = outcomes([3, 2, 2, 1], [1, 1, 0, 0]).averagePrecision()
    #expect(value == 0.5 * 1 + 0.5 * (2.0 / 3))
    #expect(outcomes([1, 2], [0, 0]).averagePrecision() == nil)
    #expect(outcomes([1, 2], [1, 1]).averagePrecision() == 1)
  }

  @Test("F1 at a threshold, and the threshold where it is greatest")
  func f1() throws {
    let outcome = outcomes([2, 1, 0, -1, -2], [1, 0, 1, 0, 0])
    // From one half on: outputs 2, 1 and 0; both positives and one alarm.
    #expect(outcome.f1(threshold: 0.5) == 4.0 / 5)
    #expect(outcome.f1(threshold: 0.99) == 0)
    #expect(outcomes([-3], [0]).f1(threshold: 0.5) == nil)
    let best = try #require(outcome.bestThreshold())
    #expect(best.threshold == 0.5 && best.f1 == 4.0 / 5)
    #expect(outcome.f1(threshold: best.threshold) == best.f1)
    #expect(outcomes([1, 2], [0, 0]).bestThreshold() == nil)
  }

  @Test("an output that is not a number ranks below all others")
  func notANumber() {
    #expect(outcomes([.nan, -100, 5], [1, 0, 0]).areaUnderROC() == 0)
    #expect(outcomes([.nan, -100, 5], [0, 1, 1]).areaUnderROC() == 1)
  }

  @Test("an ROC curve goes from corner to corner, and all its points are on the curve")
  func curve() throws {
    let all = try #require(outcomes([3, 2, 2, 1], [1, 1, 0, 0]).curve())
    #expect(all.falsePositiveRates == [0, 0, 0.5, 1] && all.truePositiveRates == [0, 0.5, 1, 1])
    #expect(all.thresholds == [nil] + [3.0, 2, 1].map { 1 / (1 + exp(-$0)) })
    #expect(outcomes([1, 2], [1, 1]).curve() == nil)
    // Many images: few points, whose polygon has about the area of all.
    let outputs = (0..<5000).map { Float(($0 * 7919) % 5003) }
    let truths = outputs.indices.map { Float(($0 * 104_729) % 5003) < outputs[$0] ? 1 : 0 }
    let outcome = outcomes(outputs, truths)
    let curve = try #require(outcome.curve(points: 51))
    #expect((40...53).contains(curve.thresholds.count))
    var area = 0.0
    for place in 1..<curve.thresholds.count {
      let width = curve.falsePositiveRates[place] - curve.falsePositiveRates[place - 1]
      #expect(width >= 0 && curve.truePositiveRates[place] >= curve.truePositiveRates[place - 1])
      area += width * (curve.truePositiveRates[place] + curve.truePositiveRates[place - 1]) / 2
    }
    #expect(abs(area - (outcome.areaUnderROC() ?? 0)) < 0.002)
  }
}
