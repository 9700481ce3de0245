// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import Testing

@Suite("The importance of choices")
struct ChoiceImportanceTests {
  private func genomes(_ count: Int, _ choices: [Int]) -> [Genome] {
    var search = SearchRandom(seed: 5, purpose: "test")
    return (0..<count).map { _ in Genome(choices.map { search.below($0) }) }
  }

  @Test("Shares are those of the variance that a gene makes")
  func shares() throws {
    let choices = [2, 3, 4]
    let tried = genomes(4000, choices)
    // Variances 1, 6 and 0; the sum is 7.
    let values = tried.map { genome -> Double in
      2 * Double(genome[0]) + 3 * Double(genome[1])
    }
    let found = try #require(ChoiceImportance(tried, values: values, choices: choices))
    #expect(abs(found.shares[0] - 1.0 / 7) < 0.02, "\(found.shares)")
    #expect(abs(found.shares[1] - 6.0 / 7) < 0.02, "\(found.shares)")
    #expect(found.shares[2] < 0.01 && found.rest < 0.02)
    let effects = found.effects[1].compactMap(\.self)
    #expect(abs(effects[2] - effects[0] - 6) < 0.1)
  }

  @Test("What only pairs of choices decide is no gene's share")
  func pairs() throws {
    let choices = [2, 2]
    let tried = genomes(4000, choices)
    let values = tried.map { $0[0] == $0[1] ? 1.0 : 0 }
    let found = try #require(ChoiceImportance(tried, values: values, choices: choices))
    #expect(found.shares.allSatisfy { $0 < 0.01 } && found.rest > 0.97)
  }

  @Test("Choices that are always tried together explain no more than there is")
  func together() throws {
    let tried = genomes(200, [3]).map { Genome([$0[0], $0[0]]) }
    let values = tried.map { Double($0[0]) }
    let found = try #require(ChoiceImportance(tried, values: values, choices: [3, 3]))
    #expect(found.shares.reduce(0, +) <= 1 + 1e-12)
  }

  @Test("Few results, or values that are all the same, have no importance")
  func nothing() {
    let tried = genomes(30, [3, 3])
    #expect(ChoiceImportance(tried, values: tried.map { _ in 4 }, choices: [3, 3]) == nil)
    let few = Array(tried.prefix(10))
    #expect(ChoiceImportance(few, values: few.map { Double($0[0]) }, choices: [3, 3]) == nil)
  }
}
