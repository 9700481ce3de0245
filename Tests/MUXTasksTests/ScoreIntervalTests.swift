// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Intervals of scores by drawing groups") struct ScoreIntervalTests {
  private struct Golden: Decodable {
    struct Several: Decodable {
      struct Bootstrap: Decodable {
        var drawnPatients: [[Int]]
        var means: [Double]
        var interval: [Double]
      }
      var labels: [[Int]]
      var scores: [[Double]]
      var patients: [Int]
      var auroc: [Double?]
      var bootstrap: Bootstrap
    }
    var multiLabel: Several
  }

  private static let name = "reference/tasks/auroc.json"

  private func outcomes(_ scores: [[Double]], _ labels: [[Int]]) -> [RankedOutcomes] {
    scores[0].indices.map { label in
      var outcomes = RankedOutcomes()
      for (scores, labels) in zip(scores, labels) {
        outcomes.add(Float(scores[label]), isPositive: labels[label] == 1)
      }
      return outcomes
    }
  }

  @Test(
    "with the patients of the reference drawn, the means and the interval are those of the reference",
    .enabled(if: Shared.has(name), "\(Shared.absent)"))
  func reference() throws {
    let data = try Data(contentsOf: URL(filePath: Shared.path(Self.name)))
    let golden = try JSONDecoder().decode(Golden.self, from: data).multiLabel
    let resampled = ResampledROC(
      outcomes(golden.scores, golden.labels), groups: golden.patients)
    var means: [Double] = []
    for (drawn, expected) in zip(golden.bootstrap.drawnPatients, golden.bootstrap.means) {
      var counts = [Int](repeating: 0, count: resampled.groupCount)
      for patient in drawn { counts[patient] += 1 }
      let areas = resampled.areas(counts: counts).compactMap { $0 }
      means.append(areas.reduce(0, +) / Double(areas.count))
      #expect(abs((means.last ?? 0) - expected) < 1e-12)
    }
    let interval = try #require(ScoreIntervals.Interval(means, confidence: 0.95))
    #expect(abs(interval.lower - golden.bootstrap.interval[0]) < 1e-12)
    #expect(abs(interval.upper - golden.bootstrap.interval[1]) < 1e-12)
    // Each once: the areas themselves.
    let once = resampled.areas(counts: [Int](repeating: 1, count: resampled.groupCount))
    for (value, expected) in zip(once, golden.auroc) {
      #expect((value == nil) == (expected == nil))
      if let value, let expected { #expect(abs(value - expected) < 1e-12) }
    }
  }

  private func meter(_ scores: [[Double]], _ labels: [[Int]]) throws -> MultiLabelMeter {
    let names = scores[0].indices.map { "class \($0)" }
    let head = MultiLabelHead(task: MultiLabel(), network: "n", classNames: names)
    var meter = head.makeMeter()
    try head.measure(
      [
        OutputTensor(
          name: "n", shape: [scores.count, names.count],
          values: scores.flatMap { $0.map { Float($0) } })
      ],
      labels.map { row in .labels(Set(row.indices.filter { row[$0] == 1 })) },
      original: labels.map { _ in ImageSize(8) }, into: &meter)
    return meter
  }

  @Test("intervals hold the score, follow the seed, and are wider by groups than by images")
  func groups() throws {
    // Eight images of each patient that are nearly the same.
    var (scores, labels): ([[Double]], [[Int]]) = ([], [])
    for image in 0..<320 {
      let patient = image / 8
      let level = (patient * 37) % 41
      let isPositive = level + (patient % 5) * 6 > 24
      scores.append([Double(level) + Double(image % 8) * 0.01, Double(image % 7)])
      labels.append([isPositive ? 1 : 0, image % 3 == 0 ? 1 : 0])
    }
    let meter = try meter(scores, labels)
    func intervals(_ groups: [Int], seed: UInt64 = 0) throws -> ScoreIntervals {
      var resampling = Resampling(draws: 300)
      resampling.seed = seed
      return try #require(meter.intervals(groups: groups, resampling))
    }
    let byPatient = try intervals((0..<320).map { $0 / 8 })
    let byImage = try intervals(Array(0..<320))
    #expect(byPatient.groups == 40 && byImage.groups == 320 && byPatient.draws == 300)
    #expect(try intervals((0..<320).map { $0 / 8 }) == byPatient)
    #expect(try intervals((0..<320).map { $0 / 8 }, seed: 1) != byPatient)
    let score = try #require(meter.scores()["auroc"])
    for result in [byPatient, byImage] {
      let all = try #require(result.all)
      #expect(all.lower < score && score < all.upper)
    }
    func width(_ intervals: ScoreIntervals) -> Double {
      intervals.classes[0].interval.map { $0.upper - $0.lower } ?? 0
    }
    #expect(width(byPatient) > 1.5 * width(byImage))
    #expect(byPatient.table.rows.map(\.name) == ["class 0", "class 1"])
    #expect(meter.intervals(groups: [0], Resampling()) == nil, "of other images")
  }

  @Test("a class of one value has no interval, and the mean leaves it out")
  func undefined() throws {
    let meter = try meter([[1, 2], [2, 1], [3, 3]], [[0, 0], [1, 0], [0, 0]])
    let intervals = try #require(meter.intervals(groups: [0, 1, 2], Resampling(draws: 50)))
    #expect(intervals.classes[1].interval == nil && intervals.classes[0].interval != nil)
    #expect(intervals.all == intervals.classes[0].interval)
  }
}
