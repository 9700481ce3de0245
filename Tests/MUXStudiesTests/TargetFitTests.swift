// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import MUXStudies
import MUXStudyTestSupport
import Testing

/// What a study says of its targets: the best network for each, and how it fits.
@Suite("The best of a study, and how it fits its target")
struct TargetFitTests {
  private func study(_ targets: [ReferenceTarget]) throws -> Study {
    let definition = try StudyDefinition(
      networks: NetworkSpace.named("digits"), targets: targets, algorithm: .random, seed: 1,
      evaluation: .command(line: "false"))
    return Study(name: "a", created: Date(), definition: definition)
  }

  private func trials(_ rows: [[Double]]) -> [Trial] {
    rows.enumerated().map { number, objectives in
      var trial = Trial(
        Candidate(
          id: number, genome: Genome([Int](repeating: 0, count: 18)),
          key: ArchitectureKey(high: 0, low: UInt64(number)), subproblem: nil), created: Date())
      trial.state = .complete
      trial.objectives = objectives
      trial.finishOrder = number
      return trial
    }
  }

  /// Six trainings of a study with two targets, as a newcomer met them: trial 3 is nearest to `small` by
  /// g, and all others beat it in everything.
  private static let beaten = [
    [70, 50e3, 8e6], [71, 60e3, 9e6], [69.2, 44.1e3, 6.72e6], [75, 91.1e3, 15.5e6],
    [72, 80e3, 12e6], [73, 85e3, 13e6],
  ]

  @Test("No network is named that another one of the study beats in everything")
  func neverDominated() throws {
    let study = try study([
      ReferenceTarget("small", ["params": 5e3, "madds": 1e5]),
      ReferenceTarget("large", ["params": 2e4, "madds": 4e5]), .budget("b", ["params": 5e4]),
    ])
    var generator = SystemRandomNumberGenerator()
    for round in 0..<200 {
      let rows =
        round == 0
        ? Self.beaten.map { [$0[0], $0[1] / 10, $0[2] / 10] }
        : (0..<20).map { _ in
          [
            Double(Int.random(in: 1...8, using: &generator)),
            Double(Int.random(in: 1...8, using: &generator)) * 9e3,
            Double(Int.random(in: 1...8, using: &generator)) * 1e5,
          ]
        }
      let best = try StudyStandings(study, trials: trials(rows)).best
      #expect(best.count == 3)
      for entry in best {
        let own = try #require(entry.trial.objectives)
        #expect(!rows.contains { NonDominatedSorting.dominates($0, own) }, "\(own) of \(rows)")
      }
      // And of those that are left, the nearest; within a budget the one of the least error.
      let decomposition = try study.definition.decomposition()
      let scales = study.definition.objectives.map(\.scale)
      let points = NonDominatedSorting.front(rows).map { zip(rows[$0], scales).map(/) }
      for (index, entry) in best.enumerated() {
        let least = points.map { decomposition.value($0, index) }.min()
        #expect(entry.value == least)
      }
    }
  }

  @Test("A budget's best is the least error within, and what is over is said with by how much")
  func budgets() throws {
    let study = try study([
      .budget("wide", ["params": 3e4, "madds": 5e5]), .budget("tight", ["params": 5e3]),
      ReferenceTarget("way", ["params": 8e3, "madds": 4e5]),
    ])
    let best = try StudyStandings(
      study, trials: trials([[9, 1e4, 2e5], [8, 2.64e4, 4.85e5], [5, 6e4, 9e5], [7, 2e4, 6e5]])
    ).best
    #expect(best[0].trial.number == 1)
    #expect(best[0].fit?.isWithin == true)
    #expect(best[0].fit?.text == "within: params −12 %, madds −3 %")
    #expect(best[1].trial.number == 0)
    #expect(best[1].fit?.text == "over: params +100 %")
    #expect(best[2].fit?.target.kind == .direction)
    let standings = try StudyStandings(study, trials: trials([[9, 1e4, 2e5], [9, 4e3, 6e5]]))
    #expect(standings.targetsHolding(standings.completed[0]) == ["wide"])
    #expect(standings.targetsHolding(standings.completed[1]) == ["tight"])
    let recorder = try StudyRecorder(study.definition)
    let record = recorder.record(standings).best[0]
    #expect(record.within == true && record.kind == .budget)
    #expect(record.difference?["params"].map { abs($0 + 2.0 / 3) < 1e-9 } == true)
    let over = try StudyStandings(study, trials: trials([[9, 1e4, 2e5]]))
    #expect(abs(recorder.record(over).best[1].value - 1) < 1e-9, "the excess, twice the limit")
  }

  @Test("A reason of several lines stays in its cell of the table")
  func reason() throws {
    let study = try study([.budget("b", ["params": 3e4])])
    var trial = try #require(trials([[9, 1e4, 2e5]]).first)
    trial.reason = "one\nline, then \"another\""
    let row = try StudyRecorder(study.definition).csvLine(trial)
    #expect(row.contains(",\"one\nline, then \"\"another\"\"\","), "\(row)")
  }

  @Test("JSON has a study's settings without the coding of Swift, and all digits of its seed")
  func plainSettings() throws {
    var study = try study([.budget("b", ["params": 3e4])])
    study.definition.seed = .max
    study.definition.algorithm = .guided()
    let record = try StudyRecorder(study.definition).record(StudyStandings(study, trials: []))
    let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
    #expect(!text.contains("\"_0\""), "\(text)")
    #expect(text.contains("\"seed\":18446744073709551615"), "\(text)")
    let whole = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let definition = try #require(whole?["definition"] as? [String: Any])
    let algorithm = definition["algorithm"] as? [String: [String: Any]]
    #expect(algorithm?["guided"]?["offspring"] as? Int == 16)
    let goal = definition["goal"] as? [String: [[String: Any]]]
    #expect(goal?["targets"]?.first?["name"] as? String == "b")
  }

  @Test("Just over a limit is over, and is not shown as nothing")
  func justOver() throws {
    let target = ReferenceTarget.budget("b", ["params": 1e6])
    let objectives = [Objective(.error, scale: 33), Objective(.parameters, scale: 1e6)]
    let fit = TargetFit(trials([[3, 1_000_001]])[0], target, objectives)
    #expect(!fit.isWithin && fit.text == "over: params +0.1 %")
    #expect(TargetFit(trials([[3, 1e6]])[0], target, objectives).text == "within: params ±0 %")
  }

  @Test(
    "Budgets that no network keeps are refused with the least that there is",
    arguments: [
      (["params": 10.0], "the least of the space is"),
      (["params": 10, "madds": 10], "no network keeps madds=10"),
      (["madds": 3], "no network keeps madds=3"),
    ])
  func unreachable(limits: [String: Double], words: String) throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let definition = try study([.budget("b", limits)]).definition
    let error = #expect(throws: SearchError.self) {
      try coordinator.create("a", definition, allowsUnreachableTargets: true)
    }
    #expect("\(error as Any)".contains(words), "\(error as Any)")
    try #expect(coordinator.studies().isEmpty)
  }

  @Test("Limits that can be kept one by one, but not together, contradict each other")
  func contradiction() throws {
    let domain = Opposites()
    let problem = try SearchProblem(
      domain: domain,
      objectives: [
        Objective(.error, scale: 33), Objective(.parameters, scale: 9),
        Objective(.multiplyAdds, scale: 9),
      ])
    try problem.checkReach(of: [.budget("b", ["params": 5, "madds": 5])])
    let error = #expect(throws: SearchError.self) {
      try problem.checkReach(of: [
        .budget("a", ["params": 3, "madds": 2]), .budget("b", ["params": 1]),
        .budget("c", ["madds": 0.5]),
      ])
    }
    let text = "\(error as Any)"
    #expect(text.contains("target 'a': its limits contradict each other"), "\(text)")
    #expect(text.contains("target 'c': no network keeps madds=0.5; the least of the space is 1"))
    #expect(!text.contains("'b'"))
  }

  /// What one gene makes small the same gene makes large.
  private struct Opposites: SearchDomain {
    let genes = [Gene("a", choices: 9)]

    func knownObjectives(of canonical: Genome) -> [Double]? {
      [.nan, Double(canonical[0] + 1), Double(9 - canonical[0])]
    }
  }

  @Test("Several targets outside of what the space reaches are one error")
  func ranges() throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let definition = try study([
      ReferenceTarget("a", ["params": 1, "madds": 2]), ReferenceTarget("b", ["madds": 1e12]),
    ]).definition
    let error = #expect(throws: StudyError.self) { try coordinator.create("a", definition) }
    let text = "\(error as Any)"
    for words in ["'a': params=1 ", "'a': madds=2 ", "'b': madds=1000000000000 "] {
      #expect(text.contains(words), "\(text)")
    }
  }

  @Test(
    "Names that are empty or stand twice, and values that nothing can have, are refused",
    arguments: [
      ([ReferenceTarget.budget("", ["params": 3e4])], "its name is empty"),
      ([ReferenceTarget(" ", ["params": 3e4])], "its name is empty"),
      (
        [ReferenceTarget("a", ["params": 3e4]), ReferenceTarget.budget("a", ["params": 3e4])],
        "another one has the same name"
      ),
      (
        [ReferenceTarget.budget("b", ["params": 3e4, "error": 101])],
        "'error' is 101.0, not from 0 to 100 percent"
      ),
      ([ReferenceTarget("b", ["error": 100.5])], "'error' is 100.5, not from 0 to 100 percent"),
    ])
  func refused(targets: [ReferenceTarget], words: String) throws {
    let coordinator = StudyCoordinator(MemoryStore())
    let definition = try study(targets).definition
    let error = #expect(throws: SearchError.self) {
      try coordinator.create("a", definition, allowsUnreachableTargets: true)
    }
    #expect("\(error as Any)".contains(words), "\(error as Any)")
    try #expect(coordinator.studies().isEmpty)
  }

  @Test("Targets outside of what any other space is known to have are pointed out with its range")
  func rangesOfOthers() throws {
    let problem = try SearchProblem(
      domain: Opposites(),
      objectives: [
        Objective(.error, scale: 33), Objective(.parameters, scale: 9),
        Objective(.multiplyAdds, scale: 9),
      ])
    let lines = problem.warnings(
      for: [
        ReferenceTarget("a", ["error": 90, "params": 1, "madds": 9]),
        ReferenceTarget("b", ["params": 0.5, "madds": 10]), .budget("c", ["params": 100]),
      ], reachedBy: "the table 't'")
    #expect(
      lines == [
        "target 'b': params=0.5 is outside of what the table 't' reaches (1...9)",
        "target 'b': madds=10 is outside of what the table 't' reaches (1...9)",
      ])
  }

  @Test("A study under budgets goes on in another process as in one")
  func goesOn() throws {
    for settings in [AlgorithmSettings.guided(), .nsga2()] {
      let definition = try StudyDefinition(
        networks: NetworkSpace.named("digits"),
        targets: [.budget("b", ["params": 2e4, "madds": 4e5])], algorithm: settings, seed: 4,
        evaluation: .command(line: "false"), limits: StudyLimits(trials: 50))
      let one = StudyCoordinator(MemoryStore())
      let genomes = try one.workThrough(one.create("a", definition), Sample.worker(1))
      let store = MemoryStore()
      let study = try StudyCoordinator(store).create("a", definition)
      var others: [Genome] = []
      for number in 0..<50 {
        let coordinator = StudyCoordinator(store)
        let lease = try coordinator.take(study, Sample.worker(Int32(number)))
        others.append(lease.trial.genome)
        let values = try Sample.objectives(lease.trial, definition)
        try coordinator.finish(lease, .complete(objectives: values))
      }
      #expect(genomes == others)
    }
  }
}
