// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import Testing

@Suite struct StoppingExperimentTests {
  /// Ten widths times ten depths: the more of both the better, and the dearer.
  private func table(_ name: String, _ error: (Double, Double) -> Double) throws -> TabularBenchmark
  {
    let rows = (0..<100).map { index in
      let (width, depth) = (Double(index / 10 + 1), Double(index % 10 + 1))
      return [error(width, depth), 100 * width * width, 1000 * width * depth]
    }
    return try TabularBenchmark(
      name: name, genes: [Gene("width", choices: 10), Gene("depth", choices: 10)], rows: rows,
      errorScale: 50)
  }

  @Test("Equal costs are spent, and what is enough for all networks finds the best")
  func cost() throws {
    let full = try table("full") { 50 / $0 + 20 / $1 }
    let early = try table("early") { 60 + 20 / $0 + 10 / $1 }
    let target = ReferenceTarget("1", ["error": 15, "params": 2500, "madds": 25_000])
    var experiment = StoppingExperiment(full, early: early, targets: [target])
    experiment.budgets = [10, 40, 100]
    experiment.seeds = 6
    let random = SearchExperiment.Contestant("random", .random)
    let optimum = full.optimum(try Decomposition(.targets([target]), objectives: full.objectives))
    for stops in [false, true] {
      let rows = try experiment.run(random, stops: stops)
      #expect(Set(rows.map(\.algorithm)) == [stops ? "random-stopped" : "random"])
      let means = experiment.budgets.map { budget in
        let runs = rows.filter { $0.budget == budget }
        #expect(runs.map(\.seed) == Array(0..<6))
        return runs.reduce(0) { $0 + $1.mean } / 6
      }
      // The more may be spent, the less is left to be found.
      #expect(means == means.sorted(by: >))
      if !stops { #expect(abs(means[2] - optimum[0]) < 1e-9) }
    }
  }

  @Test("Where twelve epochs say all, one in three is enough")
  func perfect() throws {
    let full = try table("full") { 50 / $0 + 20 / $1 }
    let target = ReferenceTarget("1", ["error": 15, "params": 2500, "madds": 25_000])
    var experiment = StoppingExperiment(full, early: full, targets: [target])
    experiment.budgets = [20]
    let random = SearchExperiment.Contestant("random", .random)
    let all = try experiment.run(random, stops: false)
    let stopped = try experiment.run(random, stops: true)
    let means = [all, stopped].map { $0.reduce(0) { $0 + $1.mean } / Double($0.count) }
    #expect(means[1] < means[0])
  }
}
