// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTraining
import Testing

@Suite struct RateFinderTests {
  @Test("the loss falls, then breaks away; the suggestion lies below that, nothing is written")
  func finds() throws {
    let folder = try TestRun.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = TestRun.configuration(folder)
    configuration.accumulation = 1
    configuration.optimizer.kind = .sgd
    configuration.optimizer.clipNorm = nil
    configuration.optimizer.scaling = .linear
    configuration.optimizer.referenceBatchSize = 200
    configuration.mixing.mixup = 0
    var finder = RateFinder()
    finder.steps = 60
    finder.lowest = 1e-4
    finder.highest = 1000
    finder.stop = StopSignal()
    let result = try finder.find(configuration, network: TestRun.network())
    let again = try finder.find(configuration, network: TestRun.network())
    #expect(
      abs(result.points[0].loss - again.points[0].loss) < 1e-4 && result.points[0].rate == 1e-4)
    let suggested = try #require(result.suggestedRate)
    #expect(suggested > 1e-4 && suggested < 1 && abs(suggested - result.bestRate / 10) < 1e-12)
    // Half of the reference batch, so twice the rate stands in the settings.
    #expect(abs(try #require(result.suggestedSetting) - 2 * suggested) < 1e-9)
    #expect(zip(result.points, result.points.dropFirst()).allSatisfy { $0.rate < $1.rate })
    #expect(result.csv.split(separator: "\n").count == result.points.count + 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    finder.steps = 5
    #expect(throws: (any Error).self) {
      try finder.find(configuration, network: TestRun.network())
    }
  }
}
