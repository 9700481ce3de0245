// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import Testing

@Suite struct ParetoHalvingTests {
  private let objectives = [Objective("error", scale: 100), Objective("params", scale: 100)]

  @Test("Rungs are powers of the reduction")
  func rungs() throws {
    var settings = ParetoHalving.Settings()
    settings.firstRung = 2
    let halving = try ParetoHalving(objectives: objectives, settings: settings)
    #expect((1...60).filter(halving.isRung) == [2, 6, 18, 54])
  }

  @Test("Dominated trainings stop, a new best one goes on, and only at rungs")
  func dominance() throws {
    var halving = try ParetoHalving(objectives: objectives)
    for trial in 0..<6 {
      let isEarly = trial < 3
      let value = 50.0 - Double(trial)
      let decision = try halving.report(
        trial: trial, resource: 3, objectives: [value, value])
      // Each is better than all before it; the first three have too few to compare with.
      #expect(decision == .proceed, "\(trial), early: \(isEarly)")
    }
    #expect(try halving.report(trial: 6, resource: 3, objectives: [60, 60]) == .stop)
    #expect(try halving.report(trial: 7, resource: 4, objectives: [60, 60]) == .proceed)
    #expect(try halving.report(trial: 8, resource: 9, objectives: [60, 60]) == .proceed)
  }

  @Test("Every target keeps its own: a small net is not stopped for a large one's accuracy")
  func targets() throws {
    let goal = SearchGoal.targets([
      ReferenceTarget("small", ["error": 50, "params": 10]),
      ReferenceTarget("large", ["error": 20, "params": 90]),
    ])
    var halving = try ParetoHalving(objectives: objectives, goal: goal)
    // Eleven large nets between 20 % and 30 %.
    for trial in 0..<11 {
      _ = try halving.report(
        trial: trial, resource: 1, objectives: [20 + Double(trial), 90])
    }
    #expect(try halving.report(trial: 20, resource: 1, objectives: [50, 10]) == .proceed)
    #expect(try halving.report(trial: 21, resource: 1, objectives: [31, 95]) == .stop)
    // The same report again never stops a training that was let through.
    #expect(try halving.report(trial: 20, resource: 1, objectives: [50, 10]) == .proceed)
  }

  @Test("About one in η of random trainings goes on")
  func share() throws {
    var halving = try ParetoHalving(objectives: objectives)
    var random = SearchRandom(seed: 6, purpose: "halving")
    var proceeding = 0
    for trial in 0..<600 {
      let decision = try halving.report(
        trial: trial, resource: 1,
        objectives: [random.uniform() * 100, random.uniform() * 100])
      if decision == .proceed { proceeding += 1 }
    }
    #expect((150...250).contains(proceeding))
  }

  @Test("Impossible settings and values are refused")
  func badInput() throws {
    var settings = ParetoHalving.Settings()
    settings.reduction = 1
    #expect(throws: SearchError.self) {
      try ParetoHalving(objectives: objectives, settings: settings)
    }
    var halving = try ParetoHalving(objectives: objectives)
    #expect(throws: SearchError.self) {
      try halving.report(trial: 0, resource: 1, objectives: [1])
    }
    #expect(throws: SearchError.self) {
      try halving.report(trial: 0, resource: 1, objectives: [1, .infinity])
    }
  }
}
