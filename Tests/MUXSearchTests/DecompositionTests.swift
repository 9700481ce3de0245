// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite struct DecompositionTests {
  private static let objectives = [
    Objective("error", scale: 100.0 / 3), Objective("params", scale: 5e6),
    Objective("madds", scale: 300e6),
  ]

  @Test("g is the distance along the direction plus five times the distance across it")
  func byHand() throws {
    // Direction (3, 4) / 5 from the origin: (4, 3) has d₁ = 24/5 and d₂ = √(25 − 576/25) = 7/5.
    let plane = [Objective("a", scale: 1), Objective("b", scale: 2)]
    let decomposition = try Decomposition(
      .targets([ReferenceTarget("t", ["a": 3, "b": 8])]), objectives: plane)
    let best = try #require(Indicators.best([[4, 3]], decomposition))
    #expect(abs(best[0].value - (4.8 + 5 * 1.4)) < 1e-12)
    // θ = 0 leaves the distance along; on the direction nothing lies across.
    let along = try Decomposition(
      .targets([ReferenceTarget("t", ["a": 3, "b": 8])]), objectives: plane, theta: 0)
    #expect(abs(try #require(Indicators.best([[4, 3]], along))[0].value - 4.8) < 1e-12)
    #expect(abs(try #require(Indicators.best([[6, 8]], decomposition))[0].value - 10) < 1e-12)
  }

  @Test("The ideal point can be fixed in natural units")
  func fixedIdeal() throws {
    let plane = [Objective("a", scale: 1), Objective("b", scale: 2)]
    let decomposition = try Decomposition(
      .targets([ReferenceTarget("t", ["a": 4, "b": 10])]), objectives: plane,
      ideal: .fixed([1, 2]))
    // From (1, 1) to the target (4, 5) over the scales: the direction is (3, 4) / 5 again.
    #expect(abs(try #require(Indicators.best([[5, 4]], decomposition))[0].value - 11.8) < 1e-12)
    #expect(throws: SearchError.self) {
      try Decomposition(
        .targets([ReferenceTarget("t", ["a": 4])]), objectives: plane, ideal: .fixed([1]))
    }
  }

  @Test(
    "A target beyond any network is an error, not a number that no Int can hold",
    arguments: ["params=1e99", "params=1e300G", "madds=2000000G", "params=inf", "params=nan"])
  func absurdTargets(_ text: String) throws {
    let error = try #require(throws: SearchError.self) { try ReferenceTarget(parsing: text) }
    #expect("\(error)".contains("target '\(text)'"))
    #expect("\(error)".contains("such as 60M"))
  }

  @Test("An absurd target of a study that was kept is an error too")
  func absurdKeptTarget() throws {
    let goal = SearchGoal.targets([ReferenceTarget("t", ["params": 1e99])])
    let error = try #require(throws: SearchError.self) {
      try Decomposition(goal, objectives: Self.objectives)
    }
    #expect("\(error)".contains("'params' must be 0 or above, and at most 10^15"))
    let lines = NetworkDomain(try .named("digits"))
      .warnings(for: [ReferenceTarget("t", ["params": 1e99])])
    #expect(lines.count == 1)
  }

  @Test("A target of 0 has a direction, and leaves the scale to what the space reaches")
  func zeroTarget() throws {
    let domain = NetworkDomain(try .named("digits"))
    let targets = [ReferenceTarget("t", ["params": 0])]
    let problem = try domain.problem(targets: targets)
    #expect(problem.objectives.map(\.scale) == (try domain.problem()).objectives.map(\.scale))
    _ = try Decomposition(.targets(targets), objectives: problem.objectives)
  }

  @Test("The paper's targets have four directions, and g picks its nets in order of size")
  func paperGeometry() throws {
    let decomposition = try Decomposition(
      .targets(ReferenceTarget.paper), objectives: Self.objectives)
    #expect(Set(decomposition.directions).count == 4)
    // Figures of table 1: error in percent, parameters, multiply-adds of xs, s, m, l.
    let nets = [
      [33.3, 1.8e6, 66e6], [28.4, 2.4e6, 117e6], [24.7, 3.4e6, 218e6], [23.4, 4.0e6, 318e6],
    ].map { zip($0, Self.objectives).map { $0 / $1.scale } }
    let picks = try #require(Indicators.best(nets, decomposition)).map(\.index)
    #expect(picks == [0, 1, 2, 2])
  }

  @Test("A target without an error stands at error coordinate 1, not 0")
  func errorCoordinate() throws {
    let decomposition = try Decomposition(
      .targets([ReferenceTarget("t", ["params": 5e6, "madds": 300e6])]),
      objectives: Self.objectives)
    let third = 1 / 3.0.squareRoot()
    for value in decomposition.directions[0] { #expect(abs(value - third) < 1e-12) }
  }

  @Test("Targets in one plane, and targets that nearly coincide, are warned of")
  func geometryWarnings() throws {
    func warnings(_ targets: [ReferenceTarget]) throws -> [String] {
      try ReferenceTarget.warnings(for: targets, objectives: Self.objectives)
    }
    #expect(try warnings(ReferenceTarget.paper) == [])
    // Accuracy "fixed at 1" read as error 0: the paper's costs alone lie within 12°.
    let plane = ReferenceTarget.paper.map { target in
      ReferenceTarget(target.name, target.values.merging(["error": 0]) { $1 })
    }
    let lines = try warnings(plane)
    #expect(lines[0].contains("all targets have error=0"))
    // g then prefers one small net for nearly all targets, which is why.
    let nets = [
      [33.3, 1.8e6, 66e6], [28.4, 2.4e6, 117e6], [24.7, 3.4e6, 218e6], [23.4, 4.0e6, 318e6],
    ].map { zip($0, Self.objectives).map { $0 / $1.scale } }
    let decomposition = try Decomposition(.targets(plane), objectives: Self.objectives)
    #expect(Set(try #require(Indicators.best(nets, decomposition)).map(\.index)).count == 1)
    // 33.69° and 33.02° in the plane of the costs, at error 1 still 0.6° apart.
    let twins = try warnings([
      ReferenceTarget("a", ["params": 3e6, "madds": 120e6]),
      ReferenceTarget("b", ["params": 3e6, "madds": 117e6]),
    ])
    #expect(twins.count == 1)
    #expect(twins[0].hasPrefix("targets 'a' and 'b' point in nearly the same direction"))
    #expect(throws: SearchError.self) { try warnings([ReferenceTarget("t", ["size": 1])]) }
  }

  @Test("Das–Dennis directions: (p + 2)(p + 1) / 2 mixtures of three objectives")
  func uniformDirections() throws {
    let decomposition = try Decomposition(
      .wholeFront(partitions: 12), objectives: Self.objectives)
    #expect(decomposition.count == 91)
    #expect(Set(decomposition.directions).count == 91)
    #expect(decomposition.directions.contains([1, 0, 0]))
    for direction in decomposition.directions {
      #expect(abs(direction.reduce(0) { $0 + $1 * $1 } - 1) < 1e-12)
    }
  }

  @Test("MOEA/D covers a whole front with an estimated ideal point")
  func wholeFront() throws {
    let domain = ToyDomain()
    let problem = try domain.problem()
    func point(_ genome: Genome) -> [Double] {
      zip(ToyDomain.evaluate(genome), problem.objectives).map { $0 / $1.scale }
    }
    var settings = MOEAD.Settings()
    settings.ideal = .estimated(margin: 0.01)
    var search = try MOEAD(
      problem, goal: .wholeFront(partitions: 39), settings: settings, seed: 2)
    let asked = try search.run(400).map(point)
    for objective in 0..<2 {
      let least = try #require(asked.map { $0[objective] }.min())
      #expect(abs(search.decomposition.ideal[objective] - (least - 0.01)) < 1e-12)
    }
    // 400 of 1,024 networks: what the directions hold covers nearly all that the true front does.
    let held = search.best.compactMap { $0 }.map { point($0.genome) }
    #expect(Set(held).count >= 10)
    let all = (0..<1024).map { point(domain.genome(at: $0)) }
    let share =
      Indicators.hypervolume(held, reference: [1.2, 1.2])
      / Indicators.hypervolume(all, reference: [1.2, 1.2])
    #expect(share > 0.95 && share <= 1, "share of the hypervolume: \(share)")
  }

  @Test("Targets are read from text with k, M and G")
  func parsing() throws {
    let target = try ReferenceTarget(parsing: "params=1.5M, madds = 60M,error=7.5%")
    #expect(target.values == ["params": 1.5e6, "madds": 60e6, "error": 7.5])
    #expect(try ReferenceTarget(parsing: "madds=0.3G").values == ["madds": 3e8])
    for text in ["", "params", "params=", "params=abc", "params=-1", "params=1,params=2", "=3"] {
      #expect(throws: SearchError.self, "\(text)") { try ReferenceTarget(parsing: text) }
    }
  }

  @Test("Unknown objectives and targets without direction are refused")
  func badTargets() throws {
    #expect(
      throws: SearchError.invalidTarget(
        target: "t", reason: "there is no objective 'size'; there are error, params, madds")
    ) {
      try Decomposition(
        .targets([ReferenceTarget("t", ["size": 1])]), objectives: Self.objectives)
    }
    #expect(throws: SearchError.self) {
      try Decomposition(
        .targets([ReferenceTarget("t", ["error": 0, "params": 0, "madds": 0])]),
        objectives: Self.objectives)
    }
    #expect(throws: SearchError.self) {
      try Decomposition(.targets([]), objectives: Self.objectives)
    }
    #expect(throws: SearchError.self) {
      try Decomposition(.wholeFront(partitions: 0), objectives: Self.objectives)
    }
  }
}
