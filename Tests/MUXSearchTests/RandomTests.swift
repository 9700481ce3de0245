// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite struct RandomTests {
  @Test("Streams differ by seed, purpose and index, and are the same every time")
  func streams() {
    func first(_ seed: UInt64, _ purpose: String, _ index: Int) -> UInt64 {
      var random = SearchRandom(seed: seed, purpose: purpose, index: index)
      return random.next()
    }
    #expect(first(1, "a", 0) == first(1, "a", 0))
    #expect(
      Set([first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)]).count == 4)
  }

  @Test("Streams do not change from version to version")
  func versions() {
    var random = SearchRandom(seed: 7, purpose: "ask", index: 3)
    #expect(
      (0..<3).map { _ in random.next() } == [
        5_463_035_767_774_993_194, 1_649_695_356_633_122_576, 16_964_456_269_894_421_324,
      ])
  }

  @Test("A saved stream goes on where it was; its state has the names that it always had")
  func saving() throws {
    var random = SearchRandom(seed: 4, purpose: "save")
    _ = random.next()
    let data = try JSONEncoder().encode(random)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(object.keys) == ["a", "b", "c", "d"])
    var restored = try JSONDecoder().decode(SearchRandom.self, from: data)
    #expect((0..<10).map { _ in random.next() } == (0..<10).map { _ in restored.next() })
  }

  @Test("Whole numbers and fractions are uniform")
  func uniformity() {
    var random = SearchRandom(seed: 9, purpose: "uniform")
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<60_000 { counts[random.below(6)] += 1 }
    // Five standard deviations of a binomial with p = 1/6.
    for count in counts { #expect(abs(count - 10_000) < 457) }
    var sum = 0.0
    for _ in 0..<60_000 {
      let value = random.uniform()
      #expect(value >= 0 && value < 1)
      sum += value
    }
    #expect(abs(sum / 60_000 - 0.5) < 0.006)
  }

  @Test("Keys are exact numbers in small spaces and hashes in large ones")
  func keys() {
    let small = [Gene("a", choices: 3), Gene("b", choices: 5)]
    #expect(ArchitectureKey([2, 4], genes: small) == ArchitectureKey(high: 0, low: 14))
    let large = (0..<40).map { Gene("g\($0)", choices: 4) }
    var random = SearchRandom(seed: 1, purpose: "keys")
    var keys: Set<ArchitectureKey> = []
    var genomes: Set<Genome> = []
    for _ in 0..<5000 {
      let genome = Genome(large.map { random.below($0.choices) })
      genomes.insert(genome)
      keys.insert(ArchitectureKey(genome, genes: large))
    }
    #expect(keys.count == genomes.count)
    #expect(ArchitectureKey(high: 1, low: 255).description == "000000000000000100000000000000ff")
  }
}
