// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXSearch
import MUXTestSupport
import Testing

/// Budgets as targets: limits with a measure of how far a network is outside.
@Suite struct BudgetTests {
  private let objectives = [
    Objective(.error, scale: 20), Objective(.parameters, scale: 1000),
    Objective(.multiplyAdds, scale: 1e6),
  ]

  private func decomposition(_ targets: ReferenceTarget...) throws -> Decomposition {
    try Decomposition(.targets(targets), objectives: objectives)
  }

  @Test("Within a budget the error decides, outside the excess, and within comes first")
  func order() throws {
    let one = try decomposition(.budget("b", ["params": 500, "madds": 1e6]))
    func value(_ error: Double, _ params: Double, _ madds: Double) -> Double {
      one.value(zip([error, params, madds], objectives).map { $1.coordinate($0) }, 0)
    }
    #expect(value(10, 500, 1e6) < value(11, 1, 1))
    #expect(value(10, 500, 1e6) == value(10, 1, 1))
    #expect(value(99, 500, 1e6) < value(1, 501, 1))
    // 20 % over, 10 % and 15 % over, 50 % over.
    #expect(value(1, 600, 1) < value(1, 550, 1.15e6))
    #expect(value(1, 550, 1.15e6) < value(1, 1, 1.5e6))
    let excess = try #require(one.budget(0)).excess(of: [1, 0.55, 1.15])
    #expect(abs(excess - 0.25) < 1e-12)
  }

  @Test("The aim is the error, or what else a budget leaves out")
  func aim() throws {
    let names = [
      ["params": 5.0]: 0, ["params": 5, "madds": 7]: 0, ["error": 5, "params": 3]: 2,
      ["error": 5]: 1,
    ]
    for (limits, aim) in names {
      #expect(try decomposition(.budget("b", limits)).budget(0)?.aim == aim)
    }
    let reversed = try Decomposition(
      .targets([.budget("b", ["madds": 5])]),
      objectives: [objectives[1], objectives[2], objectives[0]])
    #expect(reversed.budget(0)?.aim == 2)
  }

  @Test(
    "Budgets that limit nothing, all, or to 0 are errors",
    arguments: [
      ([:], "at least one objective"), (["params": 0], "must be above 0"),
      (["energy": 3], "there is no objective 'energy'"),
      (["error": 3, "params": 1, "madds": 2], "limits every objective"),
    ] as [([String: Double], String)])
  func refused(limits: [String: Double], words: String) {
    let error = #expect(throws: SearchError.self) {
      _ = try decomposition(.budget("b", limits))
    }
    #expect("\(error as Any)".contains(words), "\(error as Any)")
  }

  @Test("A target is kept with its kind, and one without a kind is a direction")
  func coding() throws {
    let budget = ReferenceTarget.budget("b", ["params": 5])
    let again = try JSONDecoder().decode(
      ReferenceTarget.self, from: JSONEncoder().encode(budget))
    #expect(again == budget && again.kind == .budget)
    let old = try JSONDecoder().decode(
      ReferenceTarget.self, from: Data(#"{"name": "xs", "values": {"params": 5}}"#.utf8))
    #expect(old == ReferenceTarget("xs", ["params": 5]))
    let written = try JSONEncoder().encode(old)
    #expect(!String(decoding: written, as: UTF8.self).contains("kind"))
  }

  @Test(
    "Every algorithm that knows targets finds the best of each budget of a small space",
    arguments: ["guided", "moead", "evolution", "nsga2"])
  func found(name: String) throws {
    let problem = try ToyDomain().problem()
    let limits = [8.0, 16, 30]
    let goal = SearchGoal.targets(limits.map { .budget("\($0)", ["cost": $0]) })
    let settings = try #require(AlgorithmSettings.named.first { $0.name == name }?.settings)
    var algorithm = try settings.make(problem, goal: goal, seed: 3)
    let genomes = try algorithm.run(name == "guided" ? 200 : 600)
    for limit in limits {
      func best(_ genomes: [Genome]) -> Double {
        genomes.filter { ToyDomain.cost($0) <= limit }.map(ToyDomain.error).min() ?? .infinity
      }
      let all = (0..<1024).map { problem.domain.genome(at: $0) }
      #expect(best(genomes) <= best(all) * 1.05, "\(name), \(limit)")
    }
  }

  @Test("A search under budgets goes on from its saved state as it would have")
  func saved() throws {
    let problem = try ToyDomain().problem()
    let goal = SearchGoal.targets([
      .budget("small", ["cost": 9]), ReferenceTarget("large", ["error": 3, "cost": 40]),
    ])
    for (_, settings) in AlgorithmSettings.named {
      var algorithm = try settings.make(problem, goal: goal, seed: 1)
      _ = try algorithm.run(70)
      var again = try settings.restore(algorithm.savedState(), problem: problem)
      #expect(try algorithm.run(30) == again.run(30), "\(settings.name)")
    }
  }

  @Test("The first sample of a search under a budget is within it")
  func start() throws {
    let problem = try ToyDomain().problem()
    for settings in [AlgorithmSettings.guided(), .moead()] {
      var algorithm = try settings.make(
        problem, goal: .targets([.budget("b", ["cost": 12])]), seed: 2)
      let genomes = algorithm.ask(10).map(\.genome)
      let within = genomes.count { ToyDomain.cost($0) <= 12 }
      #expect(within >= 8, "\(settings.name): \(within) of 10")
    }
  }

  @Test("What is made large has coordinates that fall to 0, and back")
  func maximized() {
    let objective = Objective(
      Metric("speed", unit: "img/s", direction: .higher, format: .scaled), scale: 50)
    let values = [-20.0, 0, 10, 49, 50, 51, 100, 1e6]
    let coordinates = values.map(objective.coordinate)
    #expect(coordinates == coordinates.sorted(by: >) && coordinates.allSatisfy { $0 > 0 })
    #expect(objective.coordinate(50) == 1)
    for (value, coordinate) in zip(values, coordinates) {
      #expect(abs(objective.value(at: coordinate) - value) <= 1e-9 * max(1, abs(value)))
    }
    let limit = ReferenceTarget.budget("fast", ["speed": 100])
    let one = try? Decomposition(
      .targets([limit]), objectives: [Objective(.error, scale: 20), objective])
    #expect(one?.budget(0)?.excess(of: [0.1, objective.coordinate(120)]) == 0)
    #expect(one?.budget(0)?.excess(of: [0.1, objective.coordinate(80)]) ?? 0 > 0)
  }

  @Test(
    "Drawn budgets are the same each time and hold what they say",
    .enabled(if: Shared.has("data/\(NASBenchMacro.fileName)"), "\(Shared.absent)"))
  func drawn() throws {
    let table = try SearchBenchmark.table(
      "nas-bench-macro", in: Shared.folder.appending(path: "data"))
    let budgets = try DrawnBudget.draw(table)
    #expect(budgets == (try DrawnBudget.draw(table)) && budgets.count == 50)
    #expect(budgets != (try DrawnBudget.draw(table, .tune)))
    for budget in budgets {
      let within = table.allObjectives.filter {
        $0[1] <= budget.target.values["params"] ?? 0 && $0[2] <= budget.target.values["madds"] ?? 0
      }
      #expect(within.count == budget.networks && within.count >= 1000)
      #expect(within.map { $0[0] }.min() == budget.best)
    }
  }
}
