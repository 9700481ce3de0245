// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import Testing

@Suite("Timing in turns") struct TimingTests {
  private struct Stop: Error {}

  @Test("Subjects take turns after all are warm; what prepares them comes before each turn")
  func turns() throws {
    var events: [String] = []
    var rounds: [Int] = []
    func subject(_ name: String, _ repetitions: Int) -> InterleavedTiming.Subject {
      InterleavedTiming.Subject(
        repetitions: repetitions, prepare: { events.append("prepare \(name)") },
        body: { events.append(name) })
    }
    let times = try InterleavedTiming.run(
      [subject("a", 2), subject("b", 1)], warmUp: 1, rounds: 2, progress: { rounds.append($0) })
    let turn = ["prepare a", "a", "a", "prepare b", "b"]
    #expect(events == ["prepare a", "a", "prepare b", "b"] + turn + turn)
    #expect(times.map(\.seconds.count) == [4, 2])
    #expect(times.allSatisfy { $0.minimum >= 0 && $0.minimum <= $0.median })
    #expect(rounds == [1, 2])
  }

  @Test("What a subject throws ends the timing")
  func errors() {
    #expect(throws: Stop.self) {
      try InterleavedTiming.run(
        [InterleavedTiming.Subject(body: { throw Stop() })], warmUp: 0, rounds: 1)
    }
  }

  @Test("A row's images per second are those of the median; small batches run several times a turn")
  func rows() throws {
    let model = try BrightnessModel(classes: 2) { [$0, 0] }
    var benchmark = try InferenceBenchmark(model.network)
    benchmark.add(.init(engine: "own", threads: 1, batchSize: 8), model: model)
    benchmark.add(.init(engine: "own", threads: 2, batchSize: 32), model: model)
    let rows = try benchmark.run(warmUp: 1, rounds: 3)
    #expect(rows.map(\.runs) == [6, 3])
    #expect(benchmark.peak > 0)
    for row in rows {
      let images = Double(row.setting.batchSize)
      #expect(abs(row.imagesPerSecond * row.medianSeconds / images - 1) < 1e-9)
      let work = Double(benchmark.multiplyAdds) * images / row.minimumSeconds
      let peak = benchmark.peak * Double(row.setting.threads)
      #expect(abs(row.shareOfPeak / (work / peak) - 1) < 1e-9)
      #expect(row.minimumSeconds <= row.medianSeconds)
      #expect(row.medianSeconds <= row.percentile95Seconds)
    }
  }
}
