// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages

/// The groups of a data set whose samples must stay together, such as the images of each patient.
struct SampleGroups {
  /// The samples of each group, groups in the order of their names.
  private let members: [[Int]]
  /// The stratum of each group: that of its rarest class.
  private let strata: [Int]
  private let sampleCount: Int

  /// The groups of a data set; nil where it has none.
  init?(_ data: some ImageDataSet) {
    var byName: [String: [Int]] = [:]
    var single: [[Int]] = []
    for index in 0..<data.count {
      if let name = data.group(at: index) {
        byName[name, default: []].append(index)
      } else {
        single.append([index])
      }
    }
    guard !byName.isEmpty else { return nil }
    members =
      byName.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value) + single
    // Classes by how rare they are; samples of no class come behind all others.
    let counts = data.classCounts
    let order = counts.indices.sorted { (counts[$0], $0) < (counts[$1], $1) }
    var rarity = [Int](repeating: 0, count: counts.count)
    for (place, label) in order.enumerated() { rarity[label] = place }
    strata = members.map { group in
      group.flatMap { data.target(at: $0).classes }.map { rarity[$0] }.min() ?? counts.count
    }
    sampleCount = data.count
  }

  /// How many there are.
  var count: Int { members.count }

  /// What is said about parts that keep the groups together.
  func division(seed: UInt64) -> String { "divided by group with seed \(seed)" }

  /// The samples of parts that have about the given shares of all samples and of each stratum, each part
  /// in the order of the data set.
  ///
  /// Groups with rare classes are dealt first, each to the part that lacks most of what it should have by
  /// then; what the fractions leave is left out.
  func dealt(into fractions: [Double], seed: UInt64) -> [[Int]] {
    let rest = max(0, 1 - fractions.reduce(0, +))
    let shares = fractions + (rest > 1e-9 ? [rest] : [])
    var parts = [[Int]](repeating: [], count: shares.count)
    var seen = 0
    let byStratum = Dictionary(grouping: members.indices) { strata[$0] }
    for (stratum, groups) in byStratum.sorted(by: { $0.key < $1.key }) {
      var random = RandomStream(seed: seed, purpose: .split, indices: UInt64(stratum))
      for place in random.permutation(groups.count) {
        let own = members[groups[place]]
        seen += own.count
        let lacking = parts.indices.map { shares[$0] * Double(seen) - Double(parts[$0].count) }
        let most = lacking.indices.max { lacking[$0] < lacking[$1] } ?? 0
        parts[most] += own
      }
    }
    return parts.prefix(fractions.count).map { $0.sorted() }
  }
}
