// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

/// What every algorithm must do, whatever it searches by.
@Suite struct AlgorithmTests {
  static let names = AlgorithmSettings.named.map(\.name)

  private func make(
    _ name: String, seed: UInt64 = 7, domain: ToyDomain = ToyDomain()
  ) throws -> any SearchAlgorithm {
    let settings = try #require(AlgorithmSettings.named.first { $0.name == name }).settings
    #expect(settings.name == name)
    return try settings.make(try domain.problem(), goal: toyGoal, seed: seed)
  }

  @Test("The same seed asks for the same networks, another seed for others", arguments: names)
  func determinism(_ name: String) throws {
    var first = try make(name)
    var second = try make(name)
    var other = try make(name, seed: 8)
    let genomes = try first.run(150)
    #expect(genomes.count == 150)
    #expect(try second.run(150) == genomes)
    #expect(try other.run(150) != genomes)
  }

  @Test("A space is asked for completely, each network once, then no more", arguments: names)
  func exhaustion(_ name: String) throws {
    var search = try make(name, domain: ToyDomain(genes: 3))
    let genomes = try search.run(1000)
    #expect(genomes.count == 64)
    #expect(Set(genomes).count == 64)
    #expect(search.ask(1).isEmpty)
  }

  @Test("A search that is saved and restored asks what it would have asked", arguments: names)
  func resume(_ name: String) throws {
    var search = try make(name)
    _ = try search.run(90)
    // Candidates that are out for evaluation belong to the state.
    let pending = search.ask(3)
    let settings = try #require(AlgorithmSettings.named.first { $0.name == name }).settings
    var restored = try settings.restore(
      try search.savedState(), problem: try ToyDomain().problem())
    for candidate in pending.reversed() {
      let result = Evaluation(
        id: candidate.id, objectives: ToyDomain.evaluate(candidate.genome))
      try search.tell([result])
      try restored.tell([result])
    }
    #expect(try restored.run(120) == search.run(120))
  }

  @Test("Batches larger than the population, told backwards, repeat nothing", arguments: names)
  func batches(_ name: String) throws {
    var search = try make(name)
    var seen: Set<Genome> = []
    for _ in 0..<4 {
      let batch = search.ask(100)
      #expect(batch.count == 100)
      for candidate in batch { #expect(seen.insert(candidate.genome).inserted) }
      try search.tell(
        batch.reversed().map {
          Evaluation(id: $0.id, objectives: ToyDomain.evaluate($0.genome))
        })
    }
  }

  @Test("A bad result is refused by name and changes nothing", arguments: names)
  func badResults(_ name: String) throws {
    var search = try make(name)
    let asked = search.ask(2)
    try #require(asked.count == 2)
    let first = asked[0]
    let second = asked[1]
    let good = Evaluation(id: first.id, objectives: [1, 2])
    #expect(throws: SearchError.unknownCandidate(id: 99)) {
      try search.tell([good, Evaluation(id: 99, objectives: [1, 2])])
    }
    #expect(throws: SearchError.unknownCandidate(id: first.id)) {
      try search.tell([good, good])
    }
    #expect(throws: SearchError.wrongObjectiveCount(id: second.id, expected: 2, actual: 1)) {
      try search.tell([good, Evaluation(id: second.id, objectives: [1])])
    }
    #expect(throws: SearchError.notFinite(id: second.id, objective: "cost", value: "nan")) {
      try search.tell([good, Evaluation(id: second.id, objectives: [1, .nan])])
    }
    // `good` was in each refused batch and is still waited for; told once, it is not waited for.
    try search.tell([good])
    #expect(throws: SearchError.unknownCandidate(id: first.id)) { try search.tell([good]) }
  }

  @Test("Failed evaluations are not asked for again and do not stop the search", arguments: names)
  func failures(_ name: String) throws {
    var search = try make(name, domain: ToyDomain(genes: 3))
    var genomes: [Genome] = []
    while let candidate = search.ask() {
      genomes.append(candidate.genome)
      // Every other one fails, from the very first on.
      let isFailed = genomes.count % 2 == 1
      try search.tell([
        isFailed
          ? .failed(id: candidate.id)
          : Evaluation(id: candidate.id, objectives: ToyDomain.evaluate(candidate.genome))
      ])
    }
    #expect(genomes.count == 64)
    #expect(Set(genomes).count == 64)
  }

  @Test("A state packs its networks, and one whose bytes are missing or no choices is refused")
  func packedStates() throws {
    var search = try make("guided")
    _ = try search.run(60)
    let failing = try #require(search.ask(1).first)
    let broken = try #require(search.ask(1).first)
    try search.tell([
      .failed(id: failing.id),
      Evaluation(
        id: broken.id, objectives: ToyDomain.evaluate(broken.genome), violation: 0.25),
    ])
    let problem = try ToyDomain().problem()
    let state = try search.savedState()
    let again = try AlgorithmSettings.guided().restore(state, problem: problem)
    // The same text, so the same state.
    #expect(try again.savedState() == state)
    let text = String(decoding: state, as: UTF8.self)
    #expect(text.contains("\"packedEntries\""))
    let count = try #require(text.firstRange(of: "\"count\":61"))
    let bytes = try #require(text.firstRange(of: "\"geneBytes\":1"))
    let genomes = try #require(text.firstRange(of: "\"genomes\":\""))
    for (range, other) in [
      (count, "\"count\":60"), (count, "\"count\":-1"), (count, "\"count\":4611686018427387904"),
      (bytes, "\"geneBytes\":3"), (bytes, "\"geneBytes\":0"),
      (genomes.upperBound..<text.index(genomes.upperBound, offsetBy: 4), "____"),
      (genomes.upperBound..<text.index(genomes.upperBound, offsetBy: 4), "/w8A"),
    ] {
      let damaged = text.replacingCharacters(in: range, with: other)
      #expect(throws: SearchError.self, "\(other)") {
        try AlgorithmSettings.guided().restore(Data(damaged.utf8), problem: problem)
      }
    }
  }

  @Test("A state of another algorithm, damaged, or of another space is refused")
  func badStates() throws {
    var search = try make("moead")
    _ = try search.run(50)
    let state = try search.savedState()
    let problem = try ToyDomain().problem()
    #expect(throws: SearchError.self) {
      try AlgorithmSettings.nsga2().restore(state, problem: problem)
    }
    #expect(throws: SearchError.self) {
      try AlgorithmSettings.moead().restore(state.dropLast(9), problem: problem)
    }
    #expect(
      throws: SearchError.state(algorithm: "moead", reason: "belongs to another search space")
    ) {
      try AlgorithmSettings.moead().restore(state, problem: try ToyDomain(genes: 4).problem())
    }
  }

  @Test("Networks that the user gives are asked for first, unless they are the same")
  func initialNetworks() throws {
    var settings = MOEAD.Settings()
    settings.initial = [[3, 3, 3, 3, 3], [0, 0, 0, 0, 0], [3, 3, 3, 3, 3]]
    var search = try MOEAD(
      try ToyDomain().problem(), goal: toyGoal, settings: settings, seed: 1)
    let asked = search.ask(3).map(\.genome)
    #expect(asked[0] == [3, 3, 3, 3, 3])
    #expect(asked[1] == [0, 0, 0, 0, 0])
    #expect(asked[2] != [3, 3, 3, 3, 3])
  }

  @Test("A network that breaks a measured constraint never is the best of a target")
  func violations() throws {
    var search = try MOEAD(try ToyDomain().problem(), goal: toyGoal, seed: 3)
    for _ in 0..<300 {
      guard let candidate = search.ask() else { break }
      let isBroken = candidate.genome[4] > 1
      try search.tell([
        Evaluation(
          id: candidate.id, objectives: ToyDomain.evaluate(candidate.genome),
          violation: isBroken ? 1 : 0)
      ])
    }
    for best in search.best { #expect(try #require(best).genome[4] <= 1) }
  }

  @Test("Empty spaces, missing objectives and impossible scales are refused")
  func badProblems() throws {
    let objectives = [Objective("error", scale: 1)]
    #expect(throws: SearchError.emptySpace(gene: nil)) {
      try SearchProblem(domain: ToyDomain(genes: 0), objectives: objectives)
    }
    #expect(throws: SearchError.emptySpace(gene: "g0")) {
      try SearchProblem(domain: ToyDomain(choices: 0), objectives: objectives)
    }
    #expect(throws: SearchError.noObjectives) {
      try SearchProblem(domain: ToyDomain(), objectives: [])
    }
    #expect(throws: SearchError.invalidScale(objective: "error", scale: 0)) {
      try SearchProblem(domain: ToyDomain(), objectives: [Objective("error", scale: 0)])
    }
  }

  @Test(
    "MOEA/D comes nearer to each target than chance, its guided form with a fifth of the networks")
  func findsOptimum() throws {
    let domain = ToyDomain(genes: 6)
    let problem = try domain.problem()
    let measure = try Decomposition(toyGoal, objectives: problem.objectives)
    let all = (0..<4096).map { domain.genome(at: $0) }
    let optimum = try #require(
      Indicators.best(
        all.map { genome in
          zip(ToyDomain.evaluate(genome), problem.objectives).map { $0 / $1.scale }
        }, measure))
    func attained(_ settings: AlgorithmSettings, _ budget: Int, _ seed: UInt64) throws -> [Double] {
      var search = try settings.make(problem, goal: toyGoal, seed: seed)
      let points = try search.run(budget).map { genome in
        zip(ToyDomain.evaluate(genome), problem.objectives).map { $0 / $1.scale }
      }
      return try #require(Indicators.best(points, measure)).map(\.value)
    }
    /// How far from the optimum, in the mean over seeds and targets, over the optimum's g.
    func excess(_ settings: AlgorithmSettings, _ budget: Int) throws -> Double {
      var sum = 0.0
      for seed in UInt64(0)..<10 {
        for (value, best) in zip(try attained(settings, budget, seed), optimum) {
          sum += value / best.value - 1
        }
      }
      return sum / Double(10 * measure.count)
    }
    let random = try excess(.random, 1000)
    let plain = try excess(.moead(), 1000)
    let guided = try excess(.guided(), 200)
    #expect(guided < 0.005, "guided: \(guided)")
    #expect(guided <= plain, "guided: \(guided), plain: \(plain)")
    #expect(plain < random / 2, "plain: \(plain), random: \(random)")
  }
}
