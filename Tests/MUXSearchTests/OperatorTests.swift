// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import Testing

@Suite struct OperatorTests {
  private static let genes =
    (0..<4).map { Gene("size\($0)", choices: 9) }
    + (0..<4).map { Gene("name\($0)", choices: 5, isOrdered: false) } + [Gene("fixed", choices: 1)]

  static let all: [GeneticOperators] = [
    GeneticOperators(), GeneticOperators(crossover: .twoPoint, mutation: .polynomial(index: 3)),
    GeneticOperators(
      crossover: .simulatedBinary(index: 15), crossoverRate: 1, mutation: .polynomial(index: 20)),
  ]

  @Test("Children stay within the choices", arguments: all)
  func ranges(_ operators: GeneticOperators) {
    var random = SearchRandom(seed: 2, purpose: "operators")
    for _ in 0..<2000 {
      let first = Genome(Self.genes.map { random.below($0.choices) })
      let second = Genome(Self.genes.map { random.below($0.choices) })
      let child = operators.child(first, second, Self.genes, &random)
      for (value, gene) in zip(child.values, Self.genes) {
        #expect((0..<gene.choices).contains(value))
      }
    }
  }

  @Test(
    "Without mutation every gene of a uniform or two-point child is one of its parents'",
    arguments: [GeneticOperators.Crossover.uniform, .twoPoint])
  func inheritance(_ crossover: GeneticOperators.Crossover) {
    let operators = GeneticOperators(crossover: crossover, crossoverRate: 1, mutationRate: 0)
    var random = SearchRandom(seed: 3, purpose: "operators")
    let first = Genome(Self.genes.map { _ in 0 })
    let second = Genome(Self.genes.map { $0.choices - 1 })
    var taken = 0
    for _ in 0..<1000 {
      let child = operators.child(first, second, Self.genes, &random)
      for index in 0..<8 {
        #expect(child[index] == 0 || child[index] == second[index])
        taken += child[index] == 0 ? 0 : 1
      }
    }
    // Of 8,000: one half, and for two cuts of ten places Σ 2 (i + 1) (9 − i) / 100 = 3.12 for each
    // child; deviations are 45 and below 90.
    let expected = crossover == .uniform ? 4000 : 3120
    #expect(abs(taken - expected) < 360)
  }

  @Test("A mutated gene always changes; near choices are likelier where choices are ordered")
  func mutation() {
    let operators = GeneticOperators(mutation: .polynomial(index: 20), mutationRate: 1)
    var random = SearchRandom(seed: 4, purpose: "operators")
    var near = 0
    for _ in 0..<1000 {
      var genome = Genome(Self.genes.map { $0.choices / 2 })
      operators.mutate(&genome, Self.genes, &random)
      for index in 0..<8 { #expect(genome[index] != Self.genes[index].choices / 2) }
      #expect(genome[8] == 0)
      near += (0..<4).count { abs(genome[$0] - 4) <= 1 }
    }
    // From the middle of 0...8, index 20 moves by one step with a chance of 0.245, farther with 0.013;
    // else a uniform draw is near with 2 of 8. That makes 1,722 of 4,000, with a deviation of 31;
    // uniform draws alone would give 1,000.
    #expect(abs(near - 1722) < 125)
  }

  @Test("Simulated binary crossover keeps the parents' mean and stays near them")
  func simulatedBinary() {
    let genes = [Gene("size", choices: 101)]
    let operators = GeneticOperators(
      crossover: .simulatedBinary(index: 20), crossoverRate: 1, mutationRate: 0)
    var random = SearchRandom(seed: 5, purpose: "operators")
    var sum = 0
    for _ in 0..<4000 {
      let child = operators.child([40], [60], genes, &random)
      sum += child[0]
      #expect((25...75).contains(child[0]))
    }
    // A gene is crossed every other time, else it is the first parent's: the mean is 45.
    #expect(abs(Double(sum) / 4000 - 45) < 0.5)
  }
}
