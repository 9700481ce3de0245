// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import MUXVision
import Testing

/// Samples of several classes that belong to groups, without images.
private struct GroupedSamples: ImageDataSet {
  var groups: [String?]
  var targets: [Target]
  let classNames = ["a", "b", "rare"]
  var count: Int { groups.count }
  func target(at index: Int) -> Target { targets[index] }
  func name(at index: Int) -> String { "\(index)" }
  func group(at index: Int) -> String? { groups[index] }
  func image(at index: Int) throws -> Image { noise(width: 1, height: 1) }

  /// Groups of 1 to 12 samples; every ninth has one of the rare class.
  init(_ count: Int, seed: UInt64 = 3) {
    groups = []
    targets = []
    var random = RandomStream(seed: seed, purpose: .init(rawValue: 9_100))
    for group in 0..<count {
      for sample in 0...random.below(12) {
        groups.append("group \(group)")
        targets.append(
          group % 9 == 0 && sample == 0
            ? .labels([0, 2]) : random.chance(0.5) ? .labels([random.below(2)]) : .labels([]))
      }
    }
  }
}

@Suite("Splits that keep groups together") struct SampleGroupTests {
  private let data = GroupedSamples(300)

  private func groups(_ part: DataSubset) -> Set<String> {
    Set((0..<part.count).compactMap(part.group(at:)))
  }

  @Test("no group is in two parts, and each part has its share of samples and of the rare class")
  func parts() throws {
    let parts = try data.split(fractions: [0.7, 0.1, 0.2], seed: 5)
    #expect(parts.map(\.count).reduce(0, +) == data.count)
    for (index, part) in parts.enumerated() {
      for other in parts[(index + 1)...] { #expect(groups(part).isDisjoint(with: groups(other))) }
      #expect(part.indices == part.indices.sorted())
      #expect(part.division == "divided by group with seed 5")
    }
    let rare = data.classCounts[2]
    for (part, share) in zip(parts, [0.7, 0.1, 0.2]) {
      #expect(abs(Double(part.count) - share * Double(data.count)) < 13)
      #expect(abs(Double(part.classCounts[2]) - share * Double(rare)) < 4)
    }
  }

  @Test("large groups go to small parts as often as to large ones")
  func sizes() throws {
    // Over many seeds: a part's groups are as large as those of the others.
    var (samples, groups) = ([0, 0, 0], [0, 0, 0])
    for seed in 0..<40 {
      for (part, own) in try data.split(fractions: [0.7, 0.1, 0.2], seed: UInt64(seed)).enumerated()
      {
        samples[part] += own.count
        groups[part] += self.groups(own).count
      }
    }
    let means = zip(samples, groups).map { Double($0) / Double($1) }
    for mean in means { #expect(abs(mean / means[0] - 1) < 0.1, "\(means)") }
  }

  @Test("the seed alone decides, and what the fractions leave is left out")
  func seeds() throws {
    let first = try data.split(fractions: [0.5, 0.25], seed: 1)
    #expect(try data.split(fractions: [0.5, 0.25], seed: 1).map(\.indices) == first.map(\.indices))
    #expect(try data.split(fractions: [0.5, 0.25], seed: 2).map(\.indices) != first.map(\.indices))
    #expect(abs(Double(first[0].count) - 0.5 * Double(data.count)) < 13)
    #expect(abs(Double(first[1].count) - 0.25 * Double(data.count)) < 13)
  }

  @Test("every group is held out in exactly one fold")
  func folds() throws {
    var held: [Int] = []
    for fold in 1...4 {
      let parts = try data.fold(fold, of: 4, seed: 7)
      #expect(groups(parts.training).isDisjoint(with: groups(parts.validation)))
      #expect(parts.training.count + parts.validation.count == data.count)
      #expect(abs(Double(parts.validation.count) - 0.25 * Double(data.count)) < 13)
      held += parts.validation.indices
    }
    #expect(held.sorted() == Array(0..<data.count))
  }

  @Test("too few groups are an error, samples without a group stand for themselves")
  func edges() throws {
    var few = data
    few.groups = data.groups.map { _ in "one" }
    #expect(throws: DataSetError.self) { try few.split(fractions: [0.8, 0.2], seed: 0) }
    #expect {
      try few.fold(1, of: 2, seed: 0)
    } throws: { "\($0)".contains("1 groups of samples cannot be divided into 2 folds") }
    var mixed = data
    mixed.groups = data.groups.indices.map { $0 < 20 ? "one" : nil }
    let parts = try mixed.split(fractions: [0.5, 0.5], seed: 0)
    #expect(parts.contains { Set(0..<20).isSubset(of: Set($0.indices)) })
    #expect(abs(parts[0].count - parts[1].count) <= 20)
  }
}
