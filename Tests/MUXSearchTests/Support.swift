// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch

/// Five genes with four choices; small numbers are cheap, large ones accurate.
struct ToyDomain: SearchDomain {
  var genes: [Gene]

  init(genes count: Int = 5, choices: Int = 4, isOrdered: Bool = true) {
    genes = (0..<count).map { Gene("g\($0)", choices: choices, isOrdered: isOrdered) }
  }

  func knownObjectives(of canonical: Genome) -> [Double]? {
    [.nan, Self.cost(canonical)]
  }

  static func cost(_ genome: Genome) -> Double {
    Double(genome.values.enumerated().reduce(1) { $0 + ($1.offset + 1) * $1.element })
  }

  static func error(_ genome: Genome) -> Double {
    genome.values.enumerated().reduce(2) {
      $0 + pow(3 - Double($1.element), 2) / Double(6 - $1.offset)
    }
  }

  static func evaluate(_ genome: Genome) -> [Double] { [error(genome), cost(genome)] }

  func problem() throws(SearchError) -> SearchProblem {
    try SearchProblem(
      domain: self, objectives: [Objective("error", scale: 20), Objective("cost", scale: 46)])
  }
}

let toyGoal = SearchGoal.targets([
  ReferenceTarget("small", ["error": 10, "cost": 10]),
  ReferenceTarget("large", ["error": 3, "cost": 40]),
])

extension SearchAlgorithm {
  /// Asks and tells one by one; the genomes in order.
  mutating func run(_ count: Int) throws -> [Genome] {
    var genomes: [Genome] = []
    while genomes.count < count, let candidate = ask() {
      genomes.append(candidate.genome)
      try tell([Evaluation(id: candidate.id, objectives: ToyDomain.evaluate(candidate.genome))])
    }
    return genomes
  }
}
